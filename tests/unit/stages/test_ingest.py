"""Which files a queue message announces; how they are loaded is tried with servers: tests/integration."""

from __future__ import annotations

import json

import pytest

from lakehouse.landing.raw_files import RawFile
from lakehouse.stages.ingest import landed_files

FILE = RawFile("landing", "shop/orders/x.csv", "v1", 10)


def body(*files):
    return json.dumps({"files": [file.message() for file in files]})


def test_files_in_the_landing_bucket_are_loaded():
    """Not those of other buckets, nor folders."""
    foreign = RawFile("another", "shop/orders/y.csv", "v1", 10)
    folder = RawFile("landing", "shop/orders/", "v1", 0)
    assert landed_files(body(FILE, foreign, folder), "landing") == [FILE]
    assert landed_files(body(), "landing") == []


@pytest.mark.parametrize(
    "odd", ["{", "[1]", '{"hello": "world"}', '{"files": [{"bucket": "landing"}]}', '{"files": [1]}']
)
def test_a_message_about_no_files_is_an_error(odd):
    """Each of a kind that the stage expects."""
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        landed_files(odd, "landing")
