"""What resources say of themselves."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.local.wiring.resources import TABLE_BUCKET, Bucket, Function, Wiring, queue_url_marker


def test_queue_urls_are_filled_in_once_they_are_known() -> None:
    """Also in the middle of a value, and several of them."""
    variables = {"BOTH": f"{queue_url_marker('a')} {queue_url_marker('b.fifo')}", "PLAIN": "x"}
    function = Function("f", "m", 128, 3, "Zip", variables)
    assert function.environment(str.upper) == {"BOTH": "A B.FIFO", "PLAIN": "x"}


def test_the_table_bucket_is_found_by_its_logical_id() -> None:
    """Without it no table could be kept."""
    buckets = [
        Bucket("Other", "o", versioned=True, eventbridge=True),
        Bucket(TABLE_BUCKET, "lake", False, False),
    ]
    assert Wiring(buckets, [], [], [], {}, [], [], [], []).table_bucket() == "lake"
    with pytest.raises(BadDefinition, match="no bucket LakeBucket"):
        Wiring(buckets[:1], [], [], [], {}, [], [], [], []).table_bucket()
