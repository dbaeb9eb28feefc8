"""A landing bucket that keeps no versions, besides the template's, which does."""

from __future__ import annotations

from contextlib import suppress

import pytest

from lakehouse import aws


@pytest.fixture
def unversioned(landing):
    """Return the name of a bucket that keeps no versions; tests share it."""
    exceptions = aws.s3().exceptions
    with suppress(exceptions.BucketAlreadyOwnedByYou, exceptions.BucketAlreadyExists):
        aws.s3().create_bucket(Bucket="plain-landing")
    return "plain-landing"
