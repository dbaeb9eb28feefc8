"""How raw files are cut into commits; what becomes of them there is tried with servers: tests/integration."""

from __future__ import annotations

import pytest

from lakehouse.ingest import batch
from lakehouse.ingest.policy import BatchPolicy
from lakehouse.landing.raw_files import RawFile
from tests.support.units import a_raw_file, a_source

FULL = a_source(key=["id"], full_export={"held_above": 0.2})


def test_files_are_grouped_by_source_key():
    """Each once, however often it was announced; where nobody says when they came, in the order of their keys."""
    files = [RawFile("b", key, "v", 1) for key in ("b/x/2", "a/y/1", "b/x/1", "odd", "b/x/2")]
    groups = {key: [file.key for file in group] for key, group in batch._by_source_key(files)}
    assert groups == {("", ""): ["odd"], ("a", "y"): ["a/y/1"], ("b", "x"): ["b/x/1", "b/x/2"]}


def test_files_are_in_the_order_in_which_they_came():
    """Whatever their keys: the hash of a file's content comes first in them."""
    came = [
        ("a/b/9/x", "2026-01-05T00:00:00.000000"),
        ("a/b/1/x", "2026-01-06T00:00:00.000000 0055"),
        ("a/b/9/x", "2026-01-07T00:00:00.000000"),
    ]
    files = [RawFile("b", key, f"v{time}", 1, arrival=time) for key, time in came]
    unknown = RawFile("b", files[0].key, files[0].version, 1)  # announced a second time, without its time
    [group] = [list(group) for _, group in batch._by_source_key([*reversed(files), unknown])]
    assert [file.arrival for file in group] == [time for _, time in came]


@pytest.mark.parametrize(
    ("sizes", "source", "cut"),
    [
        ((10, 10, 10), a_source(), [2, 1]),  # by number
        ((60, 60), a_source(), [1, 1]),  # by bytes
        ((500, 1), a_source(), [1, 1]),  # one file may be larger than the limit
        ((10, 10), None, [2]),  # of no source
        ((10, 10), FULL, [1, 1]),  # each is compared with the one before
        ((), FULL, []),
    ],
)
def test_a_backlog_is_cut_into_commits_of_bounded_size(monkeypatch, sizes, source, cut):
    """In files and in bytes."""
    monkeypatch.setattr(BatchPolicy, "max_files", 2)
    monkeypatch.setattr(BatchPolicy, "max_bytes", 100)
    files = [a_raw_file(f"{number}", size) for number, size in enumerate(sizes)]
    batches = list(batch._cut(files, source))
    assert [len(files) for files in batches] == cut
    assert [file for files in batches for file in files] == files
