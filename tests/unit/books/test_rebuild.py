"""Deleting what the books say of some files: the table is written anew without them, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.books.rebuild import Rebuilt, delete_files
from lakehouse.errors import CommitConflict
from lakehouse.tables import appending
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.contracts import QUARANTINE
from tests.support.lakes import duck_of, write


@pytest.fixture
def quarantine(lake):
    """Two bad rows of file a, one of file b."""
    table = ensure(open_catalog(lake), QUARANTINE)
    nulls = ", ".join(f"NULL AS {column.name}" for column in QUARANTINE.columns if column.name != "file_id")
    append(table, write(lake, table, f"SELECT unnest(['a', 'a', 'b']) AS file_id, {nulls}").files)
    return table


def file_ids(table):
    return sorted(table.refresh().scan(selected_fields=("file_id",)).to_arrow().column("file_id").to_pylist())


def data_files(lake):
    return set(Path(lake.warehouse.removeprefix("file://")).rglob("*.parquet"))


def test_rows_of_these_files_are_deleted_and_no_others(lake, quarantine):
    """And it is counted; of files that are not there nothing is deleted."""
    with duck_of(lake, iceberg=True) as con:
        assert delete_files(con, open_catalog(lake), QUARANTINE, {"b", "it's"}) == Rebuilt(3, 2)
        assert file_ids(quarantine) == ["a", "a"]
        assert delete_files(con, open_catalog(lake), QUARANTINE, {"a"}) == Rebuilt(2, 0)
    assert file_ids(quarantine) == []


def test_a_lost_race_changes_nothing_and_leaves_no_files(lake, quarantine, monkeypatch):
    """What was written for the commit is deleted again."""
    before = data_files(lake)

    def lose(*_arguments, **_named):
        raise CommitConflict("another writer was first")

    monkeypatch.setattr(appending.replace_table, "replace_all", lose)
    with duck_of(lake, iceberg=True) as con, pytest.raises(CommitConflict):
        delete_files(con, open_catalog(lake), QUARANTINE, {"a"})
    assert file_ids(quarantine) == ["a", "a", "b"]
    assert data_files(lake) == before
