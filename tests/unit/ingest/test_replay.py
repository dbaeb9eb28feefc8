"""What comes next of an open file: its next number, and exactly the rows that its last commit left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.ingest import quarantine
from lakehouse.ingest.opened import Open
from lakehouse.ingest.quarantine import BadRow, Digest
from lakehouse.ingest.replay import Replay, next_generation
from lakehouse.landing.files import RawFile
from lakehouse.tables.commit import FileRecord
from tests.support import cloud as clouds

FILE = RawFile(clouds.LANDING, "shop/orders/x.csv", "v1", 10)


@pytest.fixture(autouse=True)
def buckets(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


def digest(*rows: int | None) -> str:
    made = Digest()
    for row in rows:
        made.add(row)
    return str(made)


def left(*rows: int | None, number: int = 0) -> None:
    """Put this into quarantine."""
    bad = [BadRow(row, "bad", "why") for row in rows]
    quarantine.write(clouds.OPS, FILE, bad, "2026-01-01T00:00:00+00:00", replay=number)


def opened(quarantined: int, set_aside: str = "", table: str = "raw.shop_orders", **more: int) -> Open:
    counts = {"received": 9, "loaded": 9 - quarantined, "duplicates": 0} | more
    record = FileRecord(
        FILE.file_id, FILE.bucket, FILE.key, "v1", 10, **counts, quarantined=quarantined, started_at="",
        set_aside=set_aside,
    )  # fmt: skip
    return Open(table, record)


def test_the_rows_that_were_left():
    """Under the next number; what an earlier generation left does not matter any more."""
    left(1, 2, 3)
    left(2, 3, number=4)
    assert next_generation(clouds.OPS, opened(3)) == Replay(1, frozenset((1, 2, 3)))
    last = opened(2, digest(3, 2))
    last = replace(last, record=replace(last.record, replay=4))
    assert next_generation(clouds.OPS, last) == Replay(5, frozenset((2, 3)))


def test_a_whole_file():
    """All of its rows; the first time, where no table had it."""
    left(None)
    whole = {"received": 1, "loaded": 0}
    assert next_generation(clouds.OPS, opened(1, **whole)) == Replay(1, None)
    assert next_generation(clouds.OPS, opened(1, table="", **whole)) == Replay(0, None)
    left(3, 4)  # an attempt to load it died before its commit
    assert next_generation(clouds.OPS, opened(1, digest(None), table="", **whole)) == Replay(0, None)


@pytest.mark.parametrize(
    ("rows", "counted"),
    [
        ((1, 2), opened(3)),  # fewer than the commit counted
        ((1, 2, 3), opened(2)),  # or more
        ((1, 2), opened(2, digest(1, 3))),  # as many, but others
        ((), opened(1)),  # erased
        ((None,), opened(1)),  # a whole file, of which rows are loaded
        ((None, 1), opened(1)),
        ((None,), opened(1, digest(4), received=1, loaded=0)),  # a row, and not the file
    ],
)
def test_what_the_commit_did_not_count_is_left_alone(rows, counted):
    """Nobody knows which of these rows are loaded."""
    left(*rows)
    assert next_generation(clouds.OPS, counted) is None
