"""Rows of some grains in place of others: what stays, which files are written, and whose key it would take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.models import file_parts, partial
from lakehouse.models.model import ByGrain, Model
from lakehouse.models.policy import IncrementalPolicy
from lakehouse.tables import commit, content, data_files, replace_table
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.contract import columns, partitions
from tests.support.lakes import a_contract, duck_of, rows_of, write

COLUMNS = columns(("id", "string", "Id"), ("who", "string", "Whose"), ("year", "long", "Year"))
ROWS = [("a", "ann", 1), ("b", "ann", 2), ("c", "bob", 1), ("d", None, 2), ("f", "bob", 3)]


def values(rows):
    listed = ", ".join(
        f"({', '.join('NULL' if cell is None else repr(cell) for cell in row)})" for row in rows
    )
    return f"SELECT id, CAST(who AS VARCHAR) AS who, year FROM (VALUES {listed}) AS v(id, who, year)"


@pytest.fixture
def con(lake):
    with duck_of(lake, iceberg=True) as con:
        yield con


@pytest.fixture
def table(lake, con):
    contract = a_contract(columns=COLUMNS, key=("id",), partition=partitions("identity(year)"))
    table = ensure(open_catalog(lake), contract)
    written = write(lake, table, values(ROWS))
    replace_table.replace_all(
        table,
        written.files,
        computed_from={"in": "1"},
        base=None,
        content=content.digest(con, table, written),
    )
    con.execute("CREATE TEMP TABLE affected AS SELECT 'ann' AS grain")
    return table.refresh()


def model(rows):
    contract = a_contract(columns=COLUMNS, key=("id",), partition=partitions("identity(year)"))
    return Model(contract, (), values(rows), unique_key=True, incremental=ByGrain("who", {}))


def computed(con, table, rows):
    given = model(rows)
    partial.load_stored(con, table, given)
    partial.compute(con, given)
    return given


def paths(table):
    return {file.file_path for file in commit.live_files(table)}


def test_only_partitions_that_differ_are_written(con, lake, table):
    """Rows of other grains stay, those of nobody too; a file of a year in which nothing differs is the same file."""
    before = paths(table)
    given = computed(con, table, [("a", "ann", 1), ("e", "ann", 2), ("z", "bob", 9)])
    assert not partial.is_same(con)
    replaced = partial.replace(con, table, given, {"in": "2"})
    table.refresh()
    assert sorted(rows_of(table), key=str) == sorted(
        [("a", "ann", 1), ("e", "ann", 2), ("c", "bob", 1), ("d", None, 2), ("f", "bob", 3)], key=str
    )
    assert (replaced.rows, content.row_count(table), commit.inputs(table)) == (5, 5, {"in": "2"})
    assert len(paths(table) & before) == 2
    whole = write(
        lake,
        table,
        values([("a", "ann", 1), ("e", "ann", 2), ("c", "bob", 1), ("d", None, 2), ("f", "bob", 3)]),
    )
    assert commit.content(table) == content.digest(con, table, whole)


def test_the_last_row_of_a_partition_takes_its_file_along(con, table):
    """No file of no rows is left."""
    con.execute("CREATE OR REPLACE TEMP TABLE affected AS SELECT 'bob' AS grain")
    given = computed(con, table, [("c", "bob", 1)])
    partial.replace(con, table, given, {"in": "2"})
    table.refresh()
    assert len(paths(table)) == 2
    assert content.row_count(table) == 4


def a_whole(lake, con, rows):
    """A table without partitions, written as all rows of a model are."""
    contract = a_contract("core.whole", columns=COLUMNS, key=("id",))
    given = Model(contract, (), values(rows), unique_key=True, incremental=ByGrain("who", {}))
    table = ensure(open_catalog(lake), contract)
    written = data_files.write(con, table, given.sql, "whole", split=file_parts.part_of_row(given, len(rows)))
    digest = content.digest(con, table, written)
    replace_table.replace_all(table, written.files, computed_from={"in": "1"}, base=None, content=digest)
    return given, table.refresh()


@pytest.fixture
def small_files(monkeypatch):
    monkeypatch.setattr(IncrementalPolicy, "rows_of_file", 1)


def test_files_of_the_rows_that_differ_are_written_anew_and_no_others(small_files, con, lake):
    """Rows of one grain are in one file; what comes goes beside what it comes for, and what stays keeps its file."""
    rows = [(f"{who}{n}", who, n) for who in ("ann", "bob", "cleo", "dan", "eve", "fay") for n in range(3)]
    given, table = a_whole(lake, con, rows)
    before = paths(table)
    assert 2 < len(before) <= IncrementalPolicy.most_files
    others = [row for row in rows if row[1] != "ann"]
    mine = [("ann0", "ann", 9), ("ann1", "ann", 1), ("ann3", "ann", 3)]
    con.execute("CREATE OR REPLACE TEMP TABLE affected AS SELECT unnest(['ann', 'bob']) AS grain")
    given = replace(given, sql=values([*others, *mine]))
    partial.load_stored(con, table, given)
    partial.compute(con, given)
    partial.replace(con, table, given, {"in": "2"})
    table.refresh()
    assert sorted(rows_of(table)) == sorted([*others, *mine])
    assert len(before - paths(table)) == 1
    assert commit.content(table) == content.digest(con, table, write(lake, table, given.sql))


def test_a_grain_that_comes_goes_into_the_smallest_file(small_files, con, lake):
    """No row of it was there; an update makes no file of few rows beside many."""
    rows = [(f"{who}{n}", who, n) for who in ("ann", "bob", "cleo", "dan") for n in range(3)]
    given, table = a_whole(lake, con, rows)
    before = paths(table)
    for number in range(4):
        rows.append((f"new{number}", f"new{number}", 1))
        con.execute(f"CREATE OR REPLACE TEMP TABLE affected AS SELECT 'new{number}' AS grain")
        given = replace(given, sql=values(rows))
        partial.load_stored(con, table, given)
        partial.compute(con, given)
        partial.replace(con, table, given, {"in": f"{number}"})
        table.refresh()
    assert sorted(rows_of(table)) == sorted(rows)
    assert before & paths(table)
    assert len(paths(table)) <= 2 * IncrementalPolicy.most_files


def test_the_same_rows_are_no_change(con, table):
    """Nothing is written of them."""
    computed(con, table, ROWS)
    assert partial.is_same(con)


def test_the_key_of_a_row_that_stays_is_refused(con, table):
    """Another grain has a row of that key, which was not computed: a look at what was would not see it."""
    given = computed(con, table, [("a", "ann", 1), ("c", "ann", 2)])
    assert partial.failures(con, table, given) == ['1 of its rows have the key ("id") of another row']
