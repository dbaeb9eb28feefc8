"""A raw file is read by its version, or not at all."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import BadFile
from lakehouse.landing.fetch import chunks, request_of
from lakehouse.landing.raw_files import RawFile


@pytest.mark.parametrize(
    ("file", "condition"),
    [
        (RawFile("b", "web/events/a", "v1", 3), {"VersionId": "v1"}),
        (RawFile("b", "web/events/a", "e1", 3, is_etag=True), {"IfMatch": '"e1"'}),
    ],
)
def test_that_very_version_is_asked_for(file, condition):
    """By its id, or on the condition that the contents are the same."""
    assert request_of(file) == {"Bucket": "b", "Key": "web/events/a", **condition}


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchVersion", "404", "PreconditionFailed", "412"])
def test_a_version_that_is_gone_is_a_bad_file(monkeypatch, code):
    """It will not come back."""
    monkeypatch.setattr(aws, "s3", lambda: Client(code))
    with pytest.raises(BadFile) as caught:
        list(chunks(RawFile("b", "web/events/a", "v1", 3)))
    assert caught.value.code == "object_gone"


def test_other_errors_are_raised_as_they_are(monkeypatch):
    """What may pass is not set aside."""
    monkeypatch.setattr(aws, "s3", lambda: Client("SlowDown"))
    with pytest.raises(ClientError, match="SlowDown"):
        list(chunks(RawFile("b", "web/events/a", "v1", 3)))


class Client:
    """Answers every read with an error."""

    def __init__(self, code):
        self.code = code

    def get_object(self, **_):
        raise ClientError({"Error": {"Code": self.code}}, "GetObject")
