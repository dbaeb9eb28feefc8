"""What changed in a model's inputs since its rows were computed: by the columns that it reads, and by nothing else."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from unittest import mock
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.engine import duck
from lakehouse.models import row_changes
from lakehouse.models.changes import CannotTellError, Changes
from lakehouse.models.row_changes import RowChanges
from lakehouse.tables import appending, commit, data_files, replace_table
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contract import Contract, columns

NAME = "core.notes"
NOTES = Contract(
    name=NAME,
    doc="Notes",
    grain="none",
    key=("who", "n"),
    columns=columns(("who", "string", "Whose"), ("n", "long", "Number"), ("text", "string", "Text")),
)
Row = tuple[str | None, int, str]
A1, A2, B1 = ("ann", 1, "x"), ("ann", 2, "x"), ("bob", 1, "x")


class Notes:
    """A table of notes, and what it was."""

    def __init__(self, lake, con) -> None:
        self.catalog, self.con = catalogs.open_catalog(lake), con

    def begin(self, rows: list[Row]) -> str:
        """Make the table anew with these rows; return its head."""
        if self.catalog.table_exists(NAME):
            self.catalog.drop_table(NAME)
        self.table = catalogs.ensure(self.catalog, NOTES)
        return self.replace(rows)

    def replace(self, rows: list[Row]) -> str:
        appending.replace_query(
            self.con, self.table, _select(rows), uuid4().hex, computed_from={"a": uuid4().hex}
        )
        return commit.head(self.table.refresh())

    def append(self, rows: list[Row]) -> str:
        written = data_files.write(self.con, self.table, _select(rows), uuid4().hex)
        appending.append_written(self.table, written)
        return commit.head(self.table.refresh())

    def changes(self, head: str, reads: tuple[str, ...] | None = None) -> Changes:
        read = {} if reads is None else {NAME: reads}
        return Changes({NAME: self.table}, {NAME: NOTES}, {NAME: head}, lambda: read, RowChanges(self.con))

    def rows(self, sql: str) -> list[tuple]:
        return sorted(self.con.execute(sql).fetchall(), key=str)


def _select(rows: list[Row]) -> str:
    if not rows:
        return "SELECT NULL::VARCHAR AS who, 0::BIGINT AS n, '' AS text LIMIT 0"
    cells = (f"({'NULL' if who is None else repr(who)}, {n}::BIGINT, {text!r})" for who, n, text in rows)
    return f"SELECT * FROM (VALUES {', '.join(cells)}) AS v(who, n, text)"


@pytest.fixture
def notes(lake):
    with closing(duck.connect(lake)) as con:
        yield Notes(lake, con)


def test_of_a_table_that_grew_the_new_rows_say_it(notes: Notes) -> None:
    """Whatever they say: nothing else is read."""
    head = notes.begin([A1, B1])
    assert notes.rows(notes.changes(head).came(NAME)) == []
    notes.append([A2, A2])
    changes = notes.changes(head)
    assert notes.rows(changes.came(NAME)) == [A2, A2]
    assert notes.rows(changes.changed(NAME, "who")) == [("ann",), ("ann",)]
    assert notes.rows(changes.before(NAME)) == [A1, B1]
    assert notes.rows(changes.now(NAME)) == [A1, A2, A2, B1]
    assert not changes.are_none(notes.con, [NAME])


def test_of_a_table_that_was_replaced_both_snapshots_are_compared(notes: Notes) -> None:
    """New rows alone would not say which are gone."""
    head = notes.begin([A1, A2, B1])
    notes.replace([A1, B1])
    changes = notes.changes(head)
    assert changes.came(NAME) is None
    assert notes.rows(changes.changed(NAME, "who")) == [("ann",)]
    assert notes.rows(changes.changed(NAME, "n")) == [(2,)]
    assert not changes.are_none(notes.con, [NAME])


def test_rows_are_compared_of_files_that_differ_and_once(notes: Notes) -> None:
    """What was appended before the one replacement stands in a file that both have."""
    head = notes.begin([A1, B1])
    added = notes.append([A2])
    files = replace_table.live_entries(notes.table)
    first = [entry for entry in files if entry.data_file.record_count == 2]
    written = data_files.write(notes.con, notes.table, _select([A1]), uuid4().hex)
    replace_table.replace_some(notes.table, first, written.files, computed_from={}, base=int(added))
    notes.table.refresh()
    changes = notes.changes(added)
    assert changes.rows_to_compare(NAME) == 3
    assert notes.changes(head).rows_to_compare(NAME) == 4
    assert notes.rows(changes.changed(NAME, "who")) == [("bob",)]
    assert changes.rows_to_compare(NAME) == 0
    assert notes.rows(changes.differing_cells(NAME, ["who", "n"])) == [("bob", 1)]


@pytest.mark.parametrize(
    ("reads", "who_changed"),
    [(None, ["ann"]), (("who", "text"), ["ann"]), (("who", "n"), []), (("who",), []), ((), [])],
)
def test_a_column_that_is_not_read_changes_nothing(notes: Notes, reads, who_changed) -> None:
    """Of an input that is not named all columns are read; of no column, the number of rows counts."""
    head = notes.begin([A1, B1])
    notes.replace([("ann", 1, "y"), B1])
    changes = notes.changes(head, reads)
    assert [who for (who,) in notes.rows(changes.changed(NAME, "who"))] == who_changed
    assert changes.are_none(notes.con, [NAME]) is not bool(who_changed)


def test_a_row_that_comes_twice_is_another_one(notes: Notes) -> None:
    """Also where the model reads no column."""
    head = notes.begin([A1, B1])
    notes.replace([A1, A1, B1])
    for reads in (None, ("who",), ()):
        changes = notes.changes(head, reads)
        assert notes.rows(changes.changed(NAME, "who")) == [("ann",)]
        assert not changes.are_none(notes.con, [NAME])


def test_a_table_that_was_not_there_was_empty(notes: Notes) -> None:
    """And one that is not there is."""
    notes.begin([A1])
    changes = notes.changes("")
    assert changes.came(NAME) is None
    assert notes.rows(changes.before(NAME)) == []
    assert notes.rows(changes.changed(NAME, "who")) == [("ann",)]
    neither = Changes({}, {NAME: NOTES}, {}, dict, RowChanges(notes.con))
    assert notes.rows(neither.now(NAME)) == notes.rows(neither.before(NAME)) == []
    assert neither.are_none(notes.con, [NAME])


def test_a_snapshot_that_has_expired_cannot_be_compared(notes: Notes) -> None:
    """Then all rows are computed, rather than too few."""
    head = notes.begin([A1])
    notes.replace([A1, B1])
    notes.table.maintenance.expire_snapshots().by_id(int(head)).commit()
    notes.table.refresh()
    changes = notes.changes(head)
    with pytest.raises(CannotTellError, match=r"the snapshot of core\.notes has expired"):
        changes.before(NAME)
    assert not changes.are_none(notes.con, [NAME])
    with pytest.raises(CannotTellError):
        Changes({}, {NAME: NOTES}, {NAME: head}, dict, RowChanges(notes.con)).before(NAME)


def test_a_table_that_had_other_columns_cannot_be_compared(notes: Notes) -> None:
    head = notes.begin([A1])
    with notes.table.update_schema() as update:
        update.rename_column("text", "words")
    notes.table.refresh()
    with pytest.raises(CannotTellError, match=r"core\.notes had other columns"):
        notes.changes(head).before(NAME)


row = st.tuples(st.sampled_from(["ann", "bob", "cleo", None]), st.integers(1, 3), st.sampled_from("xy"))
some = st.lists(row, max_size=6)
looks = st.lists(st.tuples(st.booleans(), some), min_size=1, max_size=2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    some,
    looks,
    st.sampled_from([("who", "n", "text"), ("who", "n"), ("who",), ()]),
    st.sampled_from([-1, 99]),
)
def test_the_grains_that_changed_are_those_whose_rows_differ(notes: Notes, first, steps, reads, most) -> None:
    """As often as each comes; of a table that only grew they are among those of the rows that came.

    Also where more rows differ than are listed, and both states are compared as a whole.
    """
    with mock.patch.object(row_changes, "_MOST_BUCKETS", most):
        check_differing(notes, first, steps, reads)


def check_differing(notes: Notes, first, steps, reads) -> None:
    head, now, came = notes.begin(first), list(first), []
    for is_append, rows in steps:
        (notes.append if is_append and rows else notes.replace)(rows)
        now = now + rows if is_append and rows else list(rows)
        came += rows if is_append else []  # a table that is replaced by the same rows has not changed
    changes = notes.changes(head, reads)

    def read(rows: list[Row]) -> Counter:
        picked = [["who", "n", "text"].index(name) for name in reads]
        return Counter((each[0], tuple(each[number] for number in picked)) for each in rows)

    differing = {who for (who, _), _ in (read(now) - read(first) | read(first) - read(now)).items()}
    found = {who for (who,) in notes.rows(changes.changed(NAME, "who"))}
    if changes.came(NAME) is None:
        assert found == differing
    else:
        assert found == {who for who, *_ in came}
        assert differing <= found

    def content(rows: list[Row]) -> Counter:
        picked = [["who", "n", "text"].index(name) for name in reads]
        return Counter(tuple(each[number] for number in picked) for each in rows)

    assert changes.are_none(notes.con, [NAME]) == (content(now) == content(first))


def test_of_many_files_those_alone_are_read_that_hold_a_row(notes) -> None:
    """Of files that hold none nothing but the columns of the condition is read; of few files all are read at once."""
    head = notes.begin([A1])
    notes.append([B1])
    notes.append([A2, ("cleo", 1, "x")])
    changes = notes.changes(head)
    sql = changes.now_in_files(notes.con, NAME, "who IN ('ann', 'dan')", ["who"], 2)
    assert sql is not None
    assert notes.rows(f"SELECT who, n FROM ({sql})") == [("ann", 1), ("ann", 2), ("cleo", 1)]
    assert sql.count(".parquet") == 2
    nothing = changes.now_in_files(notes.con, NAME, "who = 'dan'", ["who"], 2)
    assert notes.rows(f"FROM ({nothing})") == []
    assert changes.now_in_files(notes.con, NAME, "who = 'ann'", ["who"], 3) is None
