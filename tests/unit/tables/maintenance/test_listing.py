"""Listing a location: every file with its size, as the table's metadata would write its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import Terminal
from lakehouse.tables.maintenance import listing


def test_every_file_of_a_folder_is_listed(tmp_path):
    """With its size, under the location as it was given; one that goes meanwhile is left out."""
    (tmp_path / "data" / "day=1").mkdir(parents=True)
    (tmp_path / "data" / "day=1" / "a.parquet").write_bytes(b"four")
    (tmp_path / "b.avro").write_bytes(b"")
    for location in (f"file://{tmp_path}", f"file://{tmp_path}/", str(tmp_path)):
        root = location.rstrip("/")
        listed = {file.path: file.bytes for file in listing.stored_files(location)}
        assert listed == {f"{root}/data/day=1/a.parquet": 4, f"{root}/b.avro": 0}


def test_a_file_that_goes_meanwhile_is_left_out(tmp_path, monkeypatch):
    """It was named by the folder, and is gone when its size is asked for."""
    (tmp_path / "a.parquet").write_bytes(b"x")

    def gone(self, **_named):
        raise FileNotFoundError(self)

    files = listing.stored_files(str(tmp_path))
    monkeypatch.setattr(Path, "stat", gone)
    assert list(files) == []


def test_a_location_of_another_kind_is_refused():
    """Only folders and S3 can be listed."""
    with pytest.raises(Terminal, match="gs://"):
        listing.stored_files("gs://bucket/table")
