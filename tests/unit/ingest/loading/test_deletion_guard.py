"""Whether a full export deletes too much: what is compared with what, and from which share on a person is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.ingest.loading.deletion_guard import (
    CODE,
    NewExport,
    files_in_force,
    find_excess_deletion,
    is_guarded,
    judge_deletion,
)
from lakehouse.ingest.quarantine.replay_plan import Replay
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.ledger import Load
from tests.support.lakes import duck_of, write
from tests.support.units import a_source

FULL = a_source(key=["id"], full_export={"held_above": 0.2})


def at(minute):
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("source", "replay", "guarded"),
    [
        (a_source(), None, False),  # no full export
        (FULL, None, True),
        (FULL, Replay(1, frozenset({1})), False),  # single rows
        (FULL, Replay(1, None), True),  # it was bad for another reason
        (FULL, Replay(1, None, would_delete=True), False),  # a person said that it may
    ],
)
def test_who_is_compared(source, replay, guarded):
    """Each full export that nobody has approved."""
    assert is_guarded(source, replay) is guarded


@pytest.mark.parametrize(
    ("loads", "in_force"),
    [
        ({}, set()),
        ({"a": Load(at(1), 5, 0)}, {"a"}),
        ({"a": Load(at(1), 5, 0), "b": Load(at(2), 5, 0)}, {"b"}),  # the last complete one says all
        ({"a": Load(at(1), 5, 0), "b": Load(at(2), 5, 1)}, {"a", "b"}),  # b lacks rows, so a is asked too
        ({"a": Load(at(1), 5, 1), "b": Load(at(2), 0, 0)}, set()),  # b lists nothing, and is complete
        ({"a": Load(at(1), 5, 0), "b": Load(at(2), 0, 1)}, {"a"}),  # b is in quarantine
        ({"a": Load(at(1), 5, 0), "b": Load(at(9), 5, 0)}, {"a"}),  # b came later
    ],
)
def test_which_files_say_what_there_is(loads, in_force):
    """At minute 9."""
    assert files_in_force(loads, at(9)) == in_force


@pytest.mark.parametrize(
    ("known", "deleted", "held"), [(0, 0, False), (10, 0, False), (10, 2, False), (10, 3, True), (1, 1, True)]
)
def test_from_which_share_on_a_person_is_asked(known, deleted, held):
    """More than a fifth, here."""
    error = judge_deletion(known, deleted, 0.2)
    assert (error is not None) is held
    if error is not None:
        assert error.code == CODE
        assert f"lacks {deleted} of the {known} records" in error.reason


@pytest.fixture
def compare(lake):
    """Return a function that loads a first export, and compares a second one with it."""
    table = ensure(open_catalog(lake), FULL.contract)

    def write_rows(file_id, *names):
        rows = ", ".join(f"('{name}')" for name in names)
        query = (
            f"SELECT '{file_id}' AS _file_id, 1 AS _row, TIMESTAMPTZ '{at(1).isoformat()}' AS _loaded_at, "
            f"NULL AS extra, id, NULL AS day FROM (VALUES {rows}) AS v(id)"
        )
        return write(lake, table, query).files if names else []

    def compare(first, second, unread_rows=0):
        loads = {}
        if first:
            append(table, write_rows("first", *first))
            loads = {"first": Load(at(1), len(first), 0)}
        export = NewExport(loads, at(9), write_rows("second", *second), unread_rows)
        with duck_of(lake) as con:
            return find_excess_deletion(con, table.refresh(), FULL, export)

    return compare


@pytest.mark.parametrize(
    ("first", "second", "unread_rows", "held"),
    [
        ("", "a", 0, False),  # nothing is known
        ("abcde", "abcdx", 0, False),
        ("abcde", "abc", 0, True),
        ("abcde", "abc", 1, False),  # the bad row may be one of the two
        ("abcde", "", 0, True),
    ],
)
def test_records_are_compared_by_their_key(compare, first, second, unread_rows, held):
    """Each letter is a record."""
    assert (compare(first, second, unread_rows) is not None) is held
