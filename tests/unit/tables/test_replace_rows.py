"""Some rows of a table give way to others: the table is what it would be by a whole replacement, at less cost."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.tables import catalog, commit, content, data_files, replace_table, views
from lakehouse.tables.contract import Contract, columns
from lakehouse.tables.data_files import Written
from lakehouse.tables.policy import RowReplacePolicy
from lakehouse.tables.replace_rows import RowChange, replace_rows

TABLE = Contract(
    name="core.rows",
    doc="Rows.",
    grain="one row a name and slot",
    key=("name", "slot"),
    sort=("name", "slot"),
    columns=columns(("name", "string", "Name"), ("slot", "long", "Slot"), ("value", "string", "Value")),
)
MANY, FILES = 3_000, 6


@pytest.fixture
def lake_con(lake):
    """A connection of the lake."""
    with closing(duck.connect(lake)) as con:
        yield con


def fill(con, lake):
    """Make the table anew, of several files; return it."""
    lake_catalog = catalog.open_catalog(lake)
    if lake_catalog.table_exists(TABLE.name):
        lake_catalog.drop_table(TABLE.name)
    table = catalog.ensure(lake_catalog, TABLE)
    files = []
    for number in range(FILES):
        part = f"{MADE} WHERE i % {FILES} = {number}"
        files += data_files.write(con, table, part, f"first-{uuid4()}").files
    rows = content.digest(con, table, Written(files))
    replace_table.replace_all(table, files, computed_from={"n": "1"}, base=None, content=rows)
    return catalog.ensure(lake_catalog, TABLE)


def values(rows: list[tuple[str, int, str]]) -> str:
    listed = ", ".join(f"('{name}', {slot}, '{value}')" for name, slot, value in rows)
    if not rows:
        return "SELECT 'x' AS name, 0 AS slot, '' AS value LIMIT 0"
    return f"SELECT * FROM (VALUES {listed}) AS v(name, slot, value)"


def change(con, gone: list[str], come: list[tuple[str, int, str]]) -> RowChange:
    listed = ", ".join(f"('{name}')" for name in gone) or "(NULL)"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE gone AS SELECT name::VARCHAR AS name FROM (VALUES {listed}) AS v(name)"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE come AS {values(come)}")
    return RowChange(("name",), "gone", "SELECT * FROM come", f"next-{uuid4()}")


def held(con, table) -> list[tuple]:
    return con.execute(f"SELECT * FROM ({views.scan_sql(table)}) ORDER BY ALL").fetchall()


def everything(con, table) -> str:
    """Return the digest of all rows, by looking at all of them."""
    return content.digest(con, table, Written(commit.live_files(table)))


MADE = f"SELECT 'p' || lpad(i::VARCHAR, 5, '0') AS name, 0 AS slot, md5(i::VARCHAR) AS value FROM range({MANY}) AS t(i)"


def test_only_files_with_rows_that_go_are_written_anew(lake, lake_con):
    """The others stay as they are; inputs are noted, and the head moves."""
    table = fill(lake_con, lake)
    before, head = {file.file_path for file in commit.live_files(table)}, commit.head(table)
    rows = held(lake_con, table)
    replaced = replace_rows(
        lake_con, table, change(lake_con, ["p00007"], [("p00007", 1, "new")]), computed_from={"n": "2"}
    )
    table.refresh()
    after = {file.file_path for file in commit.live_files(table)}
    assert len(before - after) == 1
    assert len(after) == len(before)
    assert replaced.changed
    assert replaced.rows == MANY
    assert commit.inputs(table) == {"n": "2"}
    assert commit.head(table) != head
    assert held(lake_con, table) == sorted(
        [row for row in rows if row[0] != "p00007"] + [("p00007", 1, "new")]
    )
    assert commit.content(table) == everything(lake_con, table)


def test_what_is_equal_is_only_noted(lake, lake_con):
    """The head does not move: nobody is woken."""
    table = fill(lake_con, lake)
    row = next(row for row in held(lake_con, table) if row[0] == "p00007")
    head = commit.head(table)
    replaced = replace_rows(lake_con, table, change(lake_con, ["p00007"], [row]), computed_from={"n": "2"})
    table.refresh()
    assert not replaced.changed
    assert (commit.head(table), commit.inputs(table)) == (head, {"n": "2"})


def test_what_is_named_and_stays_the_same_costs_no_file(lake, lake_con):
    """A caller names all that may change: of a thousand keys one has another row."""
    table = fill(lake_con, lake)
    before = {file.file_path for file in commit.live_files(table)}
    named = [row for row in held(lake_con, table) if row[0] < "p01000"]
    come = [(*row[:2], "new") if row[0] == "p00007" else row for row in named]
    replace_rows(lake_con, table, change(lake_con, [row[0] for row in named], come), computed_from={"n": "2"})
    table.refresh()
    assert len(before - {file.file_path for file in commit.live_files(table)}) == 1
    assert ("p00007", 0, "new") in held(lake_con, table)
    assert len(held(lake_con, table)) == MANY


def test_nothing_is_committed_where_rows_and_inputs_are_those_that_are_there(lake, lake_con):
    """Neither of a table with rows, nor of one that has lost all of them."""
    table = fill(lake_con, lake)
    everybody = [row[0] for row in held(lake_con, table)]
    for gone in (everybody, []):
        replace_rows(lake_con, table, change(lake_con, gone, []), computed_from={"n": "2"})
        table.refresh()
        head = table.current_snapshot()
        again = replace_rows(lake_con, table, change(lake_con, gone, []), computed_from={"n": "2"})
        table.refresh()
        assert not again.changed
        assert table.current_snapshot() == head


def test_rows_that_are_new_go_into_the_smallest_file(lake, lake_con):
    """However often one comes, there are as many files as before."""
    table = fill(lake_con, lake)
    count = len(commit.live_files(table))
    for number in range(3):
        come = [(f"new{number}", 0, "x")]
        replace_rows(lake_con, table, change(lake_con, [], come), computed_from={"n": str(number)})
        table.refresh()
    assert len(commit.live_files(table)) == count
    assert len(held(lake_con, table)) == MANY + 3


def test_a_table_of_large_files_is_cut_and_then_few_rows_are_written(lake, lake_con, monkeypatch):
    """As of an earlier release, or merged by maintenance; the rows of each file are next to each other."""
    monkeypatch.setattr(RowReplacePolicy, "file_rows", 2_048)
    table = fill(lake_con, lake)
    many = f"SELECT 'm' || lpad(i::VARCHAR, 5, '0') AS name, 0 AS slot, 'x' AS value FROM range({8 * 2_048}) AS t(i)"
    halves = [f"{many} WHERE i // {4 * 2_048} = {half}" for half in range(2)]
    large = [
        file for half in halves for file in data_files.write(lake_con, table, half, f"large-{uuid4()}").files
    ]
    rows = content.digest(lake_con, table, Written(large))
    base = table.current_snapshot().snapshot_id
    replace_table.replace_all(table, large, computed_from={"n": "1"}, base=base, content=rows)
    table.refresh()
    for number, written in enumerate((8, 1, 1), start=1):  # the files that are other ones then
        before = {file.file_path for file in commit.live_files(table)}
        new = change(lake_con, ["m00007"], [("m00007", slot, f"new {number}") for slot in range(number)])
        replace_rows(lake_con, table, new, computed_from={"n": f"{number + 1}"})
        table.refresh()
        after = commit.live_files(table)
        assert len({file.file_path for file in after} - before) == written
        assert len(after) == 8  # a row more is no file more
        assert commit.content(table) == everything(lake_con, table)
    ends = "SELECT min(name), max(name) FROM ({})"
    ranges = [
        lake_con.execute(ends.format(data_files.read_sql(table, [file.file_path]))).fetchone()
        for file in commit.live_files(table)
    ]
    assert all(one[1] < other[0] for one, other in pairwise(sorted(ranges)))


def test_another_writer_meanwhile_is_told_and_no_file_stays(lake, lake_con):
    """What it wrote may be newer; the next run looks again."""
    table = fill(lake_con, lake)
    other = catalog.open_catalog(lake).load_table("core.rows")
    replace_rows(lake_con, other, change(lake_con, ["p00001"], []), computed_from={"n": "2"})
    with pytest.raises(CommitConflict):
        replace_rows(lake_con, table, change(lake_con, ["p02999"], []), computed_from={"n": "3"})
    rows = held(lake_con, catalog.open_catalog(lake).load_table("core.rows"))
    assert len(rows) == MANY - 1


names = st.sampled_from([f"p{number:05}" for number in (0, 1, 700, 1500, 2998, 2999)] + ["a", "q", "z"])
changes = st.lists(
    st.tuples(
        st.sets(names, max_size=4),
        st.lists(st.tuples(names, st.integers(0, 2), st.sampled_from("xy")), max_size=4),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes)
def test_any_changes_give_what_replacing_everything_gives(lake, lake_con, sequence):
    """The rows, their digest and their number."""
    table = fill(lake_con, lake)
    expected = held(lake_con, table)
    for number, (gone, come) in enumerate(sequence):
        replaced = replace_rows(
            lake_con,
            table,
            change(lake_con, sorted(gone), come),
            computed_from={"n": str(number)},
        )
        table.refresh()
        expected = sorted([row for row in expected if row[0] not in gone] + come)
        assert held(lake_con, table) == expected
        assert replaced.rows == len(expected)
        assert commit.content(table) == everything(lake_con, table)


def test_what_changes_stays_in_its_file_and_what_is_new_stands_among_its_like(lake, lake_con, monkeypatch):
    """So files have no value between them; and few are read at once, however many are written."""
    monkeypatch.setattr(RowReplacePolicy, "file_rows", 2_048)
    monkeypatch.setattr(RowReplacePolicy, "files_at_once", 2)
    table = fill(lake_con, lake)
    rows = FILES * 2_048
    many = (
        f"SELECT 'p' || lpad(i::VARCHAR, 5, '0') AS name, 0 AS slot, 'x' AS value FROM range({rows}) AS t(i)"
    )
    first = data_files.write(lake_con, table, many, f"first-{uuid4()}", split=2_048)
    base = table.current_snapshot().snapshot_id
    replace_table.replace_all(table, first.files, computed_from={"n": "1"}, base=base, content="")
    table.refresh()
    write, at_once = data_files.write, []

    def counting(con, table, query, *arguments, **options):
        at_once.append(len(set(re.findall(r"[^/']+\.parquet", query))))
        return write(con, table, query, *arguments, **options)

    monkeypatch.setattr(data_files, "write", counting)
    gone = [f"p{number:05}" for number in range(100, rows, 500)]
    come = [(name, 1, "new") for name in gone] + [(f"{name}x", 1, "new") for name in gone]
    replace_rows(lake_con, table, change(lake_con, gone, come), computed_from={"n": "2"})
    table.refresh()
    files = [file.file_path for file in commit.live_files(table)]
    assert not set(files) & {file.file_path for file in first.files}
    ranges = lake_con.execute(
        f"SELECT min(name), max(name) FROM ({data_files.read_sql(table, files, file_column='f')}) "
        "GROUP BY f ORDER BY 1"
    ).fetchall()
    assert len(ranges) == FILES
    assert all(before[1] < after[0] for before, after in pairwise(ranges))
    assert max(at_once) == 2
    assert content.row_count(table) == rows + len(gone)


def test_rows_that_were_read_of_another_snapshot_are_a_conflict(lake, lake_con):
    """Another run was first: its files are not those that the caller has read, and nothing is written."""
    table = fill(lake_con, lake)
    lake_con.execute(
        f"CREATE TEMP TABLE held_rows AS {views.scan_with_files_sql(table)} WHERE name = 'p00007'"
    )
    first = change(lake_con, ["p00007"], [("p00007", 1, "first")])
    replace_rows(lake_con, table, first, computed_from={"n": "2"})
    table.refresh()
    rows = held(lake_con, table)
    second = replace(change(lake_con, ["p00007"], [("p00007", 1, "second")]), held="held_rows")
    with pytest.raises(CommitConflict, match="another snapshot"):
        replace_rows(lake_con, table, second, computed_from={"n": "3"})
    table.refresh()
    assert held(lake_con, table) == rows
