"""A query's rows come into a table in one commit, and of an attempt that is dead nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import CommitConflict, Transient
from lakehouse.tables import appending, commit
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import AlreadyCommittedError
from tests.support.lakes import (
    a_contract,
    a_record,
    duck_of,
    each_once,
    files_sql,
    load_files,
    rows_of,
    write,
)


@pytest.fixture
def table(lake):
    return ensure(open_catalog(lake), a_contract())


def data_files(lake):
    return set(Path(lake.warehouse.removeprefix("file://")).rglob("*.parquet"))


def append(lake, table, *names):
    with duck_of(lake) as con:
        return appending.append_query(
            con, table, files_sql(names) if names else "SELECT '' AS file, 1 AS n LIMIT 0", "t"
        )


def replace(lake, table, written, computed_from, base):
    with duck_of(lake) as con:
        return appending.replace_written(con, table, written, computed_from=computed_from, base=base)


def test_rows_are_appended_in_one_commit(lake, table):
    """No rows, no commit."""
    assert append(lake, table) == 0
    assert table.refresh().metadata.snapshots == []
    assert append(lake, table, "a", "b") == 10
    assert rows_of(table) == each_once(["a", "b"])
    assert len(table.metadata.snapshots) == 1
    assert {path.parent for path in data_files(lake)} == {
        Path(table.location().removeprefix("file://"), "data", "t")
    }


def test_a_lost_race_leaves_nothing(lake, table):
    """The rows were planned without those that came in meanwhile."""
    load_files(lake, ensure(open_catalog(lake), a_contract(".".join(table.name()))), "other")
    before = data_files(lake)
    with pytest.raises(CommitConflict):
        append(lake, table, "a")
    assert data_files(lake) == before
    assert rows_of(table) == each_once(["other"])


def test_files_that_are_in_already_leave_nothing(lake, table):
    """What the commit refused is deleted."""
    load_files(lake, table, "a")
    before = data_files(lake)
    with pytest.raises(AlreadyCommittedError):
        appending.append_written(table, write(lake, table, files_sql(["a"])), records=[a_record("a")])
    assert data_files(lake) == before


def test_a_replacement_says_what_it_was_computed_from(lake, table):
    """And begins with the snapshot that it names."""
    base = None
    for name in ("a", "b"):
        written = write(lake, table, files_sql([name]))
        done = replace(lake, table, written, {"in": name}, base)
        base = table.refresh().current_snapshot().snapshot_id
        assert done == appending.Replaced(
            commit.Committed(".".join(table.name()), base), changed=True, rows=written.rows
        )
        assert rows_of(table) == each_once([name])
        assert commit.inputs(table) == {"in": name}


def test_the_rows_of_a_query_replace_those_of_the_table_as_it_was_loaded(lake, table):
    """Whoever loaded it before another replaced it comes second."""
    stale = ensure(open_catalog(lake), a_contract(".".join(table.name())))
    with duck_of(lake) as con:
        done = appending.replace_query(con, table, files_sql(["a"]), "one", computed_from={"in": "a"})
        with pytest.raises(CommitConflict):
            appending.replace_query(con, stale, files_sql(["b"]), "two", computed_from={"in": "b"})
    assert rows_of(table.refresh()) == each_once(["a"])
    assert (done.changed, done.rows) == (True, table.scan().count())


def test_a_replacement_that_comes_second_leaves_nothing(lake, table):
    """The table's rows are those of the first."""
    written = write(lake, table, files_sql(["b"]))
    load_files(lake, ensure(open_catalog(lake), a_contract(".".join(table.name()))), "a")
    with pytest.raises(CommitConflict):
        replace(lake, table, written, {}, None)
    assert len(data_files(lake)) == 1
    assert rows_of(table) == each_once(["a"])


def test_after_an_unknown_outcome_files_stay(lake, table, monkeypatch):
    """The commit may have taken effect: what it refers to is not deleted."""

    def unknown(*_arguments, **_named):
        raise Transient("nobody knows")

    monkeypatch.setattr(commit, "append", unknown)
    with pytest.raises(Transient):
        append(lake, table, "a")
    assert len(data_files(lake)) == 1
