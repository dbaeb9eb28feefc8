"""Customers keep their names: merges, splits, collisions, and what is told of them."""

from __future__ import annotations

import re

import pytest

from lakehouse.errors import Terminal
from lakehouse.identity import resolve
from tests.support.observations import (
    ANN,
    BOB,
    NOW,
    Seen,
    changes,
    customers,
    observe,
    settle,
)


def test_new_customer_keeps_out_of_the_way(con):
    """A second person is new, and the first is not touched."""
    settle(con, *ANN)
    before = customers(con)
    resolution = settle(con, *ANN, *BOB)
    after = customers(con)
    assert {value: after[value] for value in before} == before
    assert changes(con) == [("new", after["102"], None)]
    assert resolution.new == 1


def test_merge_keeps_the_oldest_name_and_is_logged(con):
    """When evidence ties two customers, the one seen first names both."""
    settle(con, *ANN, *BOB)
    before = customers(con)
    tie = (Seen("9", "email", "bob@example.com", 9), Seen("9", "phone", "13800001110", 9))
    resolution = settle(con, *ANN, *BOB, *tie)
    assert set(customers(con).values()) == {before["101"]}
    assert changes(con) == [("merge", before["102"], before["101"])]
    assert (resolution.merged, resolution.new, resolution.split) == (1, 0, 0)


def test_split_gives_the_names_back(con):
    """When the tie is withdrawn, both have the names they had before, and the split is logged."""
    settle(con, *ANN, *BOB)
    before = customers(con)
    settle(con, *ANN, *BOB, Seen("9", "email", "bob@example.com", 9), Seen("9", "phone", "13800001110", 9))
    resolution = settle(con, *ANN, *BOB)
    assert customers(con) == before
    assert changes(con) == [("split", before["101"], before["102"])]
    assert (resolution.merged, resolution.new, resolution.split) == (0, 0, 1)


@pytest.mark.parametrize("other", [f"{letter}@example.com" for letter in "cdefgh"])
def test_split_gives_the_names_back_to_those_seen_at_once(con, other):
    """Also when a whole CRM was loaded in one moment, merge and split are each other's inverse."""
    apart = (Seen("1", "email", "b@example.com"), Seen("2", "email", other))
    settle(con, *apart)
    before = customers(con)
    settle(con, *apart, Seen("9", "email", "b@example.com"), Seen("9", "email", other))
    assert set(customers(con).values()) == {before["b@example.com"]}
    settle(con, *apart)
    assert customers(con) == before


def test_a_piece_may_move_to_another_customer(con):
    """A phone that changes hands is logged as a split into the one who has it now."""
    settle(con, *ANN, *BOB)
    who = customers(con)
    settle(con, *ANN[:2], *BOB, Seen("2", "phone", "13800001110", 5))
    assert customers(con)["+8613800001110"] == who["102"]
    assert changes(con) == [("split", who["101"], who["102"])]


def test_a_taken_name_is_not_given_twice(con):
    """A name stays with the first seen identifier, so the piece that leaves gets another."""
    first = (Seen("1", "email", "a@example.com", 5), Seen("1", "email", "b@example.com", 1))
    settle(con, *first)
    name = customers(con)["a@example.com"]
    settle(con, first[0], first[1]._replace(record="2"))
    after = customers(con)
    assert after["b@example.com"] == name
    assert after["a@example.com"] != name
    assert changes(con) == [("split", name, after["a@example.com"])]


def test_a_name_that_lives_on_elsewhere_is_not_given_back(con):
    """Of two that were one, and of which one was merged with a third, each has an id of its own."""
    ann, bob, cyd = (
        Seen(f"{n}", "email", f"{name}@example.com", n) for n, name in enumerate(("ann", "bob", "cyd"))
    )
    tie = Seen("0", "email", "bob@example.com", 9)
    settle(con, ann, bob, cyd)
    before = customers(con)
    settle(con, ann, tie, bob, cyd)
    settle(con, ann, bob, bob._replace(record="2"), cyd)
    after = customers(con)
    assert after["ann@example.com"] == before["ann@example.com"]
    assert after["bob@example.com"] == after["cyd@example.com"] == before["cyd@example.com"]
    settle(con, ann, bob, cyd)
    assert customers(con) == before


def test_ids_are_drawn_and_tell_nothing(con):
    """Whoever knows an address cannot tell the id: two lakes give two."""
    settle(con, *ANN)
    one = customers(con)["101"]
    con.execute("DROP TABLE identities")
    settle(con, *ANN)
    assert re.fullmatch(r"c_[0-9a-f]{16}", one)
    assert customers(con)["101"] != one


def test_whoever_is_gone_leaves_no_row(con):
    """A customer whose every record is gone (erased) has no identity left."""
    settle(con, *ANN, *BOB)
    settle(con, *BOB)
    assert sorted(customers(con)) == ["102", "bob@example.com"]
    assert changes(con) == []


def test_relations_by_qualified_and_hostile_names(con):
    """A relation is a name, whatever stands in it."""
    observe(con, *ANN)
    con.execute('CREATE SCHEMA "a b"')
    con.execute("""CREATE VIEW "a b"."x""; DROP TABLE observations; --" AS FROM observations""")
    found = resolve(con, observations='a b.x"; DROP TABLE observations; --', previous=None, now=NOW)
    assert found.customers == 1


def test_what_is_missing_is_told(con):
    """A missing relation, a missing column, a moment without a zone: each says so."""
    with pytest.raises(Terminal, match="no relation 'nowhere'"):
        resolve(con, observations="nowhere", previous=None, now=NOW)
    con.execute("CREATE TABLE bare (record TEXT, source TEXT, type TEXT, value TEXT)")
    with pytest.raises(Terminal, match="lacks the columns alias, every, file_id, loaded_at"):
        resolve(con, observations="bare", previous=None, now=NOW)
    with pytest.raises(Terminal, match="time zone"):
        resolve(con, observations="bare", previous=None, now=NOW.replace(tzinfo=None))
