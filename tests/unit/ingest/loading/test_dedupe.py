"""One row a message: what a batch repeats, of itself or of what the table has, is counted and not loaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.ingest.loading.dedupe import Messages
from lakehouse.sources.definition import Dedupe
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.contract import columns
from tests.support.lakes import a_contract, duck_of, write

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
RULE = Dedupe(column="message_id", days=7)


@pytest.fixture
def con(lake):
    with duck_of(lake) as con:
        yield con


@pytest.fixture
def table(lake):
    cells = columns(("message_id", "string", "Id"), ("_loaded_at", "timestamptz", "When"))
    return ensure(open_catalog(lake), a_contract(columns=cells))


@pytest.fixture
def arrive(lake, table):
    """Return a function that loads messages into the table; it gives the paths of their files."""

    def load(*names, at=NOW):
        rows = ", ".join(f"('{name}', TIMESTAMPTZ '{at.isoformat()}')" for name in names)
        files = write(lake, table, f"SELECT * FROM (VALUES {rows}) AS v(message_id, _loaded_at)").files
        append(table.refresh(), files)
        return [Path(file.file_path.removeprefix("file://")) for file in files]

    return load


def unit(con, *rows):
    """Make the unit: piece, row, message, and what is wrong with it."""
    con.execute(
        "CREATE OR REPLACE TABLE unit (_piece INTEGER, _row BIGINT, message_id VARCHAR, _code VARCHAR)"
    )
    con.executemany("INSERT INTO unit VALUES (?, ?, ?, ?)", [(*row, None)[:4] for row in rows])


def unit_rows(con):
    return con.execute("SELECT _piece, _row FROM unit ORDER BY ALL").fetchall()


def test_of_equal_messages_the_first_stays(con, table):
    """By piece and row, however the unit holds them; the others are counted by their piece."""
    unit(con, (2, 1, "a"), (1, 9, "a"), (1, 8, "a"), (2, 2, "b"), (1, 10, "a"), (2, 3, "c"), (2, 4, "c"))
    assert Messages(con, table, RULE, NOW).drop_repeated({1: "f", 2: "g"}) == {1: 2, 2: 2}
    assert unit_rows(con) == [(1, 8), (2, 2), (2, 3)]


def test_a_unit_without_repeats_stays_as_it_is(con, table):
    """Nothing is counted."""
    unit(con, (1, 1, "a"), (1, 2, "b"))
    assert Messages(con, table, RULE, NOW).drop_repeated({1: "f"}) == {}
    assert unit_rows(con) == [(1, 1), (1, 2)]


def test_units_of_one_batch_know_of_each_other(con, table):
    """Each row is counted once, also where its message is twice in its own unit and in the one before."""
    messages = Messages(con, table, RULE, NOW)
    unit(con, (1, 1, "a"), (2, 1, "b"))
    assert messages.drop_repeated({1: "f", 2: "g"}) == {}
    unit(con, (3, 1, "a"), (3, 2, "a"), (3, 3, "c"), (4, 1, "b"))
    assert messages.drop_repeated({3: "g", 4: "g"}) == {3: 2, 4: 1}
    assert unit_rows(con) == [(3, 3)]
    unit(con, (5, 1, "c"), (5, 2, "d"))
    assert messages.drop_repeated({5: "h"}) == {5: 1}


def test_what_a_file_brought_can_be_taken_back(con, table):
    """From all units it was in; what other files brought stays known, and one that brought nothing takes nothing."""
    messages = Messages(con, table, RULE, NOW)
    unit(con, (1, 1, "a"), (2, 1, "b"))
    messages.drop_repeated({1: "f", 2: "g"})
    unit(con, (3, 1, "c"), (4, 1, "d"))
    messages.drop_repeated({3: "h", 4: "g"})
    messages.forget("g")
    messages.forget("nothing")
    unit(con, *((5, row, name) for row, name in enumerate("abcd")))
    assert messages.drop_repeated({5: "i"}) == {5: 2}
    assert unit_rows(con) == [(5, 1), (5, 3)]


def test_bad_rows_neither_hide_a_message_nor_go(con, table, arrive):
    """They are set aside, not loaded: in their unit, and for the units and batches after it, they are not there."""
    arrive("b")
    messages = Messages(con, table, RULE, NOW)
    unit(con, (1, 1, "a", "bad"), (1, 2, "a"), (1, 3, "b", "bad"), (1, 4, "c", "bad"))
    assert messages.drop_repeated({1: "f"}) == {}
    unit(con, (2, 1, "c"), (2, 2, "a", "bad"))
    assert messages.drop_repeated({2: "f"}) == {}
    assert unit_rows(con) == [(2, 1), (2, 2)]


def test_what_arrived_in_the_window_is_there_already(con, table, arrive):
    """To the moment at which it begins, row by row; an older arrival does not count."""
    begins = NOW - timedelta(days=7)
    arrive("inside", at=NOW)
    arrive("edge", at=begins)
    arrive("before", at=begins - timedelta(microseconds=1))
    messages = Messages(con, table, RULE, NOW)
    names = ("before", "edge", "inside", "new")
    for piece in (1, 2):  # the second unit finds the first one's as well
        unit(con, *((piece, row, name) for row, name in enumerate(names)))
        gone = {1: 2, 2: 4}[piece]
        assert messages.drop_repeated({piece: "f"}) == {piece: gone}
        assert unit_rows(con) == [(1, 0), (1, 3)][: 4 - gone]


def test_old_rows_beside_young_ones_in_a_file_do_not_count(lake, con, table):
    """Compaction puts arrivals of many days into one file."""
    rows = (
        "SELECT 'm' || n AS message_id, TIMESTAMPTZ '2026-03-08 12:00:00+00' - to_days(n * 8) AS _loaded_at"
    )
    append(table, write(lake, table, f"{rows} FROM range(2) AS r(n)").files)
    unit(con, (1, 1, "m0"), (1, 2, "m1"))
    assert Messages(con, table, RULE, NOW).drop_repeated({1: "f"}) == {1: 1}
    assert unit_rows(con) == [(1, 2)]


def test_only_files_that_reach_into_the_window_are_read(con, table, arrive):
    """What it costs follows the arrivals of a week, not the size of the table."""
    (old,) = arrive("old", at=NOW - timedelta(days=8))
    arrive("young")
    old.unlink()
    unit(con, (1, 1, "young"), (1, 2, "old"))
    assert Messages(con, table, RULE, NOW).drop_repeated({1: "f"}) == {1: 1}


def test_a_batch_of_many_units_reads_the_table_again_only_for_what_is_there(con, table, arrive):
    """The hashes say that nothing of a unit can have arrived; where something can, it is looked up."""
    (file,) = arrive("known")
    messages = Messages(con, table, RULE, NOW)
    for piece in (1, 2, 3):
        unit(con, (piece, 1, f"new{piece}"), (piece, 2, "known"), (piece, 3, "bad", "bad"))
        assert messages.drop_repeated({piece: "f"}) == {piece: 1}
        assert unit_rows(con) == [(piece, 1), (piece, 3)]
    file.unlink()
    unit(con, (4, 1, "new4"), (4, 2, "new4"), (4, 3, "known", "bad"))
    assert messages.drop_repeated({4: "f"}) == {4: 1}


def test_a_batch_of_one_unit_makes_no_hashes(con, table, arrive):
    """It asks the files, once; those that go on keep the hashes from the second unit on."""
    arrive("known")
    messages = Messages(con, table, RULE, NOW)
    for piece, hashed in ((1, False), (2, True)):
        unit(con, (piece, 1, "known"))
        assert messages.drop_repeated({piece: "f"}) == {piece: 1}
        assert (("arrived",) in con.execute("SHOW TABLES").fetchall()) == hashed


def test_a_batch_is_still_new_while_others_bring_other_messages(con, table, arrive):
    """After a lost race only the files that came meanwhile are compared, each of them once."""
    files = arrive("known")
    messages = Messages(con, table, RULE, NOW)
    unit(con, (1, 1, "a"), (1, 2, "known"))
    assert messages.drop_repeated({1: "f"}) == {1: 1}
    for name in ("b", "c"):
        for file in files:
            file.unlink()
        files = arrive(name)
        assert messages.still_new(table.refresh())
    for file in files:
        file.unlink()
    assert messages.still_new(table.refresh())


def test_a_batch_is_not_new_once_another_brought_its_message(con, table, arrive):
    """However often it is asked; also when the table was empty, and when one of several is the same."""
    messages = Messages(con, table, RULE, NOW)
    unit(con, (1, 1, "a"), (1, 2, "b"))
    messages.drop_repeated({1: "f"})
    arrive("x", "b", "y")
    assert not messages.still_new(table.refresh())
    assert not messages.still_new(table.refresh())


def test_what_was_taken_back_may_arrive_with_another_batch(con, table, arrive):
    """The batch does not bring it any more."""
    messages = Messages(con, table, RULE, NOW)
    unit(con, (1, 1, "a"), (2, 1, "b"))
    messages.drop_repeated({1: "f", 2: "g"})
    messages.forget("f")
    arrive("a")
    assert messages.still_new(table.refresh())


BY_CONTENT = Dedupe(column="message_id", days=7, content=("event", "properties", "not_kept"))
SAID = st.tuples(
    st.sampled_from("ab"), st.sampled_from(["x", "y", None]), st.sampled_from(['{"n":1}', "{}", None])
)
UNITS = st.lists(st.lists(SAID, min_size=1, max_size=5), min_size=1, max_size=3)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(UNITS, min_size=1, max_size=3))
def test_what_says_something_else_is_another_message(lake, con, batches):
    """Whatever comes in which unit of which batch: one row for each id and what is said with it."""
    cells = columns(
        *((name, "string", name) for name in ("message_id", "event", "properties")),
        ("_loaded_at", "timestamptz", "When"),
    )
    table = ensure(open_catalog(lake), a_contract(columns=cells))
    known: set[tuple[str | None, ...]] = set()
    for number, units in enumerate(batches):
        for name in ("batch_messages", "arrived"):
            con.execute(f"DROP TABLE IF EXISTS {name}")
        messages = Messages(con, table, BY_CONTENT, NOW)
        good: list[tuple[str | None, ...]] = []
        for piece, rows in enumerate(units):
            con.execute(
                "CREATE OR REPLACE TABLE unit (_piece INTEGER, _row BIGINT, message_id VARCHAR, event VARCHAR, "
                "properties VARCHAR, _code VARCHAR)"
            )
            con.executemany(
                "INSERT INTO unit VALUES (?, ?, ?, ?, ?, NULL)",
                [(piece, row, *said) for row, said in enumerate(rows)],
            )
            fresh = [
                said for place, said in enumerate(rows) if said not in known and said not in rows[:place]
            ]
            dropped = messages.drop_repeated({piece: f"f{number}"})
            assert dropped == ({piece: len(rows) - len(fresh)} if len(fresh) < len(rows) else {})
            left = con.execute("SELECT message_id, event, properties FROM unit ORDER BY _row").fetchall()
            assert left == fresh
            known.update(fresh)
            good += fresh
        if good:
            values = ", ".join(
                "("
                + ", ".join("NULL" if one is None else f"'{one}'" for one in said)
                + f", TIMESTAMPTZ '{NOW.isoformat()}')"
                for said in good
            )
            query = f"SELECT * FROM (VALUES {values}) AS v(message_id, event, properties, _loaded_at)"
            append(table.refresh(), write(lake, table, query).files)
            table = table.refresh()


def test_what_is_said_is_read_only_where_an_id_is_met(lake, con):
    """It is most of a file: a batch of new messages reads ids alone."""
    read = []
    cells = columns(
        ("message_id", "string", "Id"), ("event", "string", "E"), ("_loaded_at", "timestamptz", "When")
    )
    table = ensure(open_catalog(lake), a_contract(columns=cells))
    rows = f"(VALUES ('a', 'x', TIMESTAMPTZ '{NOW.isoformat()}')) AS v(message_id, event, _loaded_at)"
    append(table, write(lake, table, f"SELECT * FROM {rows}").files)
    rule = Dedupe(column="message_id", days=7, content=("event",))
    for name, event, reads in (("b", "x", 1), ("a", "x", 2), ("a", "y", 2)):
        con.execute("DROP TABLE IF EXISTS batch_messages")
        con.execute(
            "CREATE OR REPLACE TABLE unit AS SELECT 1 AS _piece, 1::BIGINT AS _row, "
            f"'{name}' AS message_id, '{event}' AS event, NULL::VARCHAR AS _code"
        )
        messages = Messages(con, table, rule, NOW)
        asked = messages._ids_sql
        read.clear()
        messages._ids_sql = lambda paths, *besides, asked=asked: (
            read.append(besides) or asked(paths, *besides)
        )
        messages.drop_repeated({1: "f"})
        assert len(read) == reads
