"""What is bad stands in an object a generation: all of it, in constant memory, and readable a row at a time."""

from __future__ import annotations

import tracemalloc

import pytest

from lakehouse import aws
from lakehouse.ingest import quarantine
from lakehouse.ingest.quarantine import BadRow, Digest
from lakehouse.landing.files import RawFile
from tests.support import cloud as clouds

FILE = RawFile(clouds.LANDING, "shop/orders/x.csv", "v1", 10)
AT = "2026-01-01T00:00:00+00:00"


@pytest.fixture(autouse=True)
def buckets(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


def rows(*numbers: int | None) -> list[BadRow]:
    return [BadRow(number, "bad", "why", f"text {number}") for number in numbers]


def test_each_generation_has_an_object_of_its_own():
    """The first load's beside those of the replays, each with everything it left."""
    quarantine.write(clouds.OPS, FILE, rows(1, 2), AT)
    quarantine.write(clouds.OPS, FILE, rows(2), AT, replay=1)
    quarantine.write(clouds.OPS, FILE, [], AT, replay=2)
    found = [[bad["row"] for bad in quarantine.read(clouds.OPS, FILE.file_id, n)] for n in range(4)]
    assert found == [[1, 2], [2], [], []]
    listed = aws.s3().list_objects_v2(Bucket=clouds.OPS, Prefix="quarantine/")["Contents"]
    name = f"quarantine/{FILE.file_id}"
    assert [one["Key"] for one in listed] == [f"{name}.json", f"{name}/1.json", f"{name}/2.json"]
    assert listed[-1]["Size"] == 0


def test_a_row_says_all_there_is_to_say():
    """Whose it is, what is wrong, how it came; text that is no Unicode costs a character, not the row."""
    quarantine.write(clouds.OPS, FILE, [BadRow(7, "bad", "why", 'a "b"\n\ud800 é\0')], AT, replay=3)
    (row,) = quarantine.read(clouds.OPS, FILE.file_id, 3)
    assert row == {
        "file_id": FILE.file_id, "bucket": FILE.bucket, "key": FILE.key, "version": "v1", "source": "shop",
        "entity": "orders", "row": 7, "code": "bad", "reason": "why", "original": 'a "b"\n? é\0',
        "quarantined_at": AT, "replay": 3,
    }  # fmt: skip


def test_the_digest_tells_which_rows():
    """Whatever their order; other rows, or as many others, have another one."""
    of = ((1, 2), (2, 1), (1, 3), (1,), (None,), ())
    digests = [quarantine.write(clouds.OPS, FILE, rows(*numbers), AT) for numbers in of]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 5
    again = Digest()
    for bad in (2, 1):
        again.add(bad)
    assert str(again) == digests[0]


def test_memory_does_not_grow_with_the_rows(monkeypatch, tmp_path):
    """80 MB of bad rows pass through a few: in, through scratch, and out again."""
    monkeypatch.setattr(quarantine, "_IN_ONE_PUT", 16 << 20)
    many = (BadRow(number, "bad", "why", "x" * 20_000) for number in range(4_000))
    tracemalloc.start()
    quarantine.write(clouds.OPS, FILE, many, AT, scratch=tmp_path)
    count = sum(1 for _ in quarantine.read(clouds.OPS, FILE.file_id))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 4_000
    assert peak < 30 << 20, f"{peak >> 20} MiB"
    assert list(tmp_path.iterdir()) == []
