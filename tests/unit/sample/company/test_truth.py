"""The summary counts what is in the files."""

from __future__ import annotations

from typing import Any


def test_the_truth_counts_the_rows_of_every_file(company: Any, bare: Any) -> None:
    """`rows` of truth.json is what a reader counts, file by file, and what `write` returned."""
    for written in (company, bare):
        for place, rows in written.truth["rows"].items():
            assert written.value(f"SELECT count(*) FROM {place.replace('/', '_')}") == rows > 0, place
        folders = {p.parent.relative_to(written.folder).as_posix() for p in written.folder.glob("*/*/*")}
        assert folders == written.truth["rows"].keys()
        assert written.returned.rows == written.truth["rows"]
        assert written.returned.as_json() == written.truth
