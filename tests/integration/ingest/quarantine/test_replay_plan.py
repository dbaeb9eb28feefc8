"""What a replay loads next of a file: its next number, and exactly the rows that its last commit left."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lakehouse import aws
from lakehouse.ingest.quarantine import bad_rows
from lakehouse.ingest.quarantine.bad_rows import Digest
from lakehouse.ingest.quarantine.open_rows import QuarantinedFile
from lakehouse.ingest.quarantine.replay_plan import Replay, next_generation
from lakehouse.landing.raw_files import RawFile
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


def put_in_quarantine(record: FileRecord, *rows: int | None) -> None:
    """Put this into quarantine, where the record's commit says that it is."""
    key = bad_rows.object_key(record.file_id, record.replay, record.set_aside)
    body = "".join(json.dumps({"row": row}) + "\n" for row in rows)
    aws.s3().put_object(Bucket=clouds.OPS, Key=key, Body=body.encode())


def quarantined_file(
    quarantined: int, set_aside: str = "", table: str = "raw.shop_orders", **more: int
) -> QuarantinedFile:
    counts = {"received": 9, "loaded": 9 - quarantined, "duplicates": 0} | more
    record = FileRecord(
        FILE.file_id, FILE.bucket, FILE.key, "v1", 10, **counts, quarantined=quarantined, started_at="",
        set_aside=set_aside,
    )  # fmt: skip
    return QuarantinedFile(table, record)


def test_the_rows_that_the_last_generation_left():
    """Under the next number; what an earlier generation left does not matter any more."""
    first, last = quarantined_file(3), quarantined_file(2, digest(3, 2))
    last = replace(last, record=replace(last.record, replay=4))
    put_in_quarantine(first.record, 1, 2, 3)
    put_in_quarantine(last.record, 2, 3)
    assert next_generation(clouds.OPS, first) == Replay(1, frozenset((1, 2, 3)))
    assert next_generation(clouds.OPS, last) == Replay(5, frozenset((2, 3)))


def test_a_bad_file_is_replayed_with_all_its_rows():
    """As generation 0 where no table has it."""
    bad_file = quarantined_file(1, digest(None), received=1, loaded=0)
    put_in_quarantine(bad_file.record, None)
    assert next_generation(clouds.OPS, bad_file) == Replay(1, None)
    assert next_generation(clouds.OPS, replace(bad_file, table="")) == Replay(0, None)


def test_a_file_that_was_held_for_what_it_would_delete():
    """Replaying it is the word of a person that it may; of any other bad file it is not."""
    held = quarantined_file(1, digest(None), received=1, loaded=0)
    for code, meant in (("would_delete", True), ("missing_column", False)):
        key = bad_rows.object_key(held.record.file_id, 0, held.record.set_aside)
        body = json.dumps({"row": None, "code": code}).encode()
        aws.s3().put_object(Bucket=clouds.OPS, Key=key, Body=body)
        assert next_generation(clouds.OPS, held) == Replay(1, None, would_delete=meant)


@pytest.mark.parametrize(
    ("rows", "counted"),
    [
        ((1, 2), quarantined_file(3)),  # fewer than the commit counted
        ((1, 2, 3), quarantined_file(2)),  # or more
        ((1, 2), quarantined_file(2, digest(1, 3))),  # as many, but others
        ((), quarantined_file(1)),  # erased
        ((None,), quarantined_file(1)),  # a whole file, of which rows are loaded
        ((None, 1), quarantined_file(1)),
        ((None,), quarantined_file(1, digest(4), received=1, loaded=0)),  # a row, and not the file
    ],
)
def test_what_the_commit_did_not_count_is_left_alone(rows, counted):
    """Nobody knows which of these rows are loaded."""
    put_in_quarantine(counted.record, *rows)
    assert next_generation(clouds.OPS, counted) is None
