"""Customers keep their names: merges, splits, collisions, and what is told of them."""

from __future__ import annotations

import hashlib
import sys

import pytest

from lakehouse.errors import Terminal
from lakehouse.identity import resolve
from tests.support.observations import (
    ANN,
    BOB,
    DAY,
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
    """A name stays with the first seen identifier, so the piece it was made of gets another."""
    first = (Seen("1", "email", "a@example.com", 5), Seen("1", "email", "b@example.com", 1))
    settle(con, *first)
    name = customers(con)["a@example.com"]
    settle(con, first[0], first[1]._replace(record="2"))
    after = customers(con)
    assert after["b@example.com"] == name
    assert after["a@example.com"] != name
    digest = hashlib.sha256(b"crm-lakehouse/customer/1/email:a@example.com").hexdigest()
    assert after["a@example.com"] == f"c_{digest[:16]}"
    assert changes(con) == [("split", name, after["a@example.com"])]


def test_a_name_of_before_is_never_given_to_a_stranger(con):
    """Should a new customer's name be another's already, it is named anew, again and again."""
    names = [
        f"c_{hashlib.sha256(f'crm-lakehouse/customer/{n}/email:bob@example.com'.encode()).hexdigest()[:16]}"
        for n in range(4)
    ]
    observe(con, *ANN, BOB[1])
    con.execute(
        "CREATE TABLE before (identifier_type TEXT, identifier_value TEXT, customer_id TEXT, "
        "first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ)"
    )
    con.executemany(
        "INSERT INTO before VALUES ('user_id', ?, ?, ?, ?)",
        [[f"gone-{n}", names[n], DAY, DAY] for n in range(3)],
    )
    resolve(con, observations="observations", previous="before", now=NOW)
    assert customers(con)["bob@example.com"] == names[3]


def test_colliding_names_are_told_apart(con, monkeypatch):
    """With names of one digit, twelve customers still have twelve, and the same ones in any order."""
    monkeypatch.setattr(sys.modules["lakehouse.identity.resolve"], "ID_DIGITS", 1)
    people = [Seen(f"{n}", "hubspot_id", f"{n + 100}") for n in range(12)]
    observe(con, *people)
    resolve(con, observations="observations", previous=None, now=NOW)
    first = customers(con)
    assert len(set(first.values())) == 12
    observe(con, *reversed(people))
    resolve(con, observations="observations", previous=None, now=NOW)
    assert customers(con) == first


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
    with pytest.raises(Terminal, match="lacks the columns seen_at"):
        resolve(con, observations="bare", previous=None, now=NOW)
    with pytest.raises(Terminal, match="time zone"):
        resolve(con, observations="bare", previous=None, now=NOW.replace(tzinfo=None))
