"""Each generation's bad rows are in one object: all of them, in constant memory, and readable a row at a time."""

from __future__ import annotations

import tracemalloc

import pytest

from lakehouse import aws
from lakehouse.ingest.policy import QuarantinePolicy
from lakehouse.ingest.quarantine import bad_rows
from lakehouse.ingest.quarantine.bad_rows import BadRow, Digest
from lakehouse.landing.raw_files import RawFile
from lakehouse.tables.commit import FileRecord
from tests.support import cloud as clouds

FILE = RawFile(clouds.LANDING, "shop/orders/x.csv", "v1", 10)
AT = "2026-01-01T00:00:00+00:00"


@pytest.fixture(autouse=True)
def buckets(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


def rows(*numbers: int | None) -> list[BadRow]:
    return [BadRow(number, "bad", "why", f"text {number}") for number in numbers]


def read(replay: int, digest: str):
    """Return what a generation left, as its commit would name it."""
    counts = {"received": 1, "loaded": 0, "duplicates": 0, "quarantined": 1, "started_at": AT}
    record = FileRecord(
        FILE.file_id, FILE.bucket, FILE.key, "v1", 1, **counts, replay=replay, set_aside=digest
    )
    return bad_rows.read(clouds.OPS, record)


def test_each_generation_has_an_object_of_its_own():
    """The first load's beside those of the replays, each with everything it left."""
    generations = ((1, 2), (2,), ())
    digests = [
        bad_rows.write(clouds.OPS, FILE, rows(*bad), AT, replay) for replay, bad in enumerate(generations)
    ]
    numbers = [[bad["row"] for bad in read(replay, digest)] for replay, digest in enumerate(digests)]
    assert numbers == [[1, 2], [2], []]
    listed = aws.s3().list_objects_v2(Bucket=clouds.OPS, Prefix="quarantine/")["Contents"]
    name = f"quarantine/{FILE.file_id}"
    assert [one["Key"] for one in listed] == [f"{name}/{n}/{digest}.json" for n, digest in enumerate(digests)]
    assert listed[-1]["Size"] == 0


def test_an_attempt_that_read_the_file_otherwise_overwrites_nothing():
    """The file was deleted meanwhile, say: each commit finds what its own attempt set aside, whoever wrote last."""
    whole = bad_rows.write(clouds.OPS, FILE, rows(None), AT)
    late = bad_rows.write(clouds.OPS, FILE, rows(2), AT)
    assert [[bad["row"] for bad in read(0, digest)] for digest in (whole, late)] == [[None], [2]]


def test_what_an_old_commit_set_aside_is_found():
    """It does not say what that was; the object's key was made from the file and the generation alone."""
    for replay, key in ((0, f"quarantine/{FILE.file_id}.json"), (3, f"quarantine/{FILE.file_id}/3.json")):
        aws.s3().put_object(Bucket=clouds.OPS, Key=key, Body=f'{{"row": {replay + 5}}}\n'.encode())
        assert list(read(replay, "")) == [{"row": replay + 5}]


def test_a_row_says_all_there_is_to_say():
    """Whose it is, what is wrong, how it came; text that is no Unicode costs a character, not the row."""
    bad = [BadRow(7, "bad", "why", 'a "b"\n\ud800 é\0')]
    (row,) = read(3, bad_rows.write(clouds.OPS, FILE, bad, AT, replay=3))
    assert row == {
        "file_id": FILE.file_id, "bucket": FILE.bucket, "key": FILE.key, "version": "v1", "source": "shop",
        "entity": "orders", "row": 7, "code": "bad", "reason": "why", "original": 'a "b"\n? é\0',
        "quarantined_at": AT, "replay": 3,
    }  # fmt: skip


def test_the_digest_tells_which_rows():
    """Whatever their order; other rows, or as many others, have another one."""
    row_sets = ((1, 2), (2, 1), (1, 3), (1,), (None,), ())
    digests = [bad_rows.write(clouds.OPS, FILE, rows(*numbers), AT) for numbers in row_sets]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 5
    again = Digest()
    for bad in (2, 1):
        again.add(bad)
    assert str(again) == digests[0]


def test_memory_does_not_grow_with_the_rows(monkeypatch, tmp_path):
    """80 MB of bad rows pass through a few: in, through scratch, and out again."""
    monkeypatch.setattr(QuarantinePolicy, "single_put_bytes", 16 << 20)
    many = (BadRow(number, "bad", "why", "x" * 20_000) for number in range(4_000))
    tracemalloc.start()
    count = sum(1 for _ in read(0, bad_rows.write(clouds.OPS, FILE, many, AT, scratch=tmp_path)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 4_000
    assert peak < 30 << 20, f"{peak >> 20} MiB"
    assert list(tmp_path.iterdir()) == []
