"""How raw files are cut into commits; what becomes of them there is tried with servers: tests/integration."""

from __future__ import annotations

import pytest

from lakehouse.ingest import batch
from lakehouse.ingest.policy import BatchPolicy
from lakehouse.landing.raw_files import RawFile
from tests.support.units import a_raw_file, a_source

FULL = a_source(key=["id"], full_export={"held_above": 0.2})


def test_files_are_grouped_by_source_key_in_the_order_of_their_keys():
    """Each once, however often it was announced."""
    files = [RawFile("b", key, "v", 1) for key in ("b/x/2", "a/y/1", "b/x/1", "odd", "b/x/2")]
    groups = {key: [file.key for file in group] for key, group in batch._by_source_key(files)}
    assert groups == {("", ""): ["odd"], ("a", "y"): ["a/y/1"], ("b", "x"): ["b/x/1", "b/x/2"]}


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
