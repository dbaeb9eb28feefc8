"""The summary counts what is in the files."""

from __future__ import annotations

from typing import Any


def test_the_truth_counts_the_rows_of_every_file(company: Any, bare: Any) -> None:
    """`rows` of truth.json is what a reader counts, file by file, and what `write` returned."""
    for company_files in (company, bare):
        for entity, rows in company_files.truth["rows"].items():
            assert company_files.value(f"SELECT count(*) FROM {entity.replace('/', '_')}") == rows > 0, entity
        folders = {
            p.parent.relative_to(company_files.folder).as_posix() for p in company_files.folder.glob("*/*/*")
        }
        assert folders == company_files.truth["rows"].keys()
        assert company_files.truth_returned.rows == company_files.truth["rows"]
        assert company_files.truth_returned.as_json() == company_files.truth
