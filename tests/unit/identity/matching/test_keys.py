"""Candidates: who shares a key is compared, new against stored as in a rebuild; a key of a thousand finds nobody."""

from __future__ import annotations

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.identity.matching.features import features
from lakehouse.identity.matching.keys import blocking_keys, candidates


def _pairs(con) -> set[tuple[str, str]]:
    return set(con.execute("SELECT left_record, right_record FROM match_pairs").fetchall())


def test_who_may_be_one_is_compared(con, people) -> None:
    """By phone, by door, by birth date, by name: and not by a surname alone."""
    keys = blocking_keys(con, features(con, people()))
    assert candidates(con, keys) == "match_pairs"
    pairs = _pairs(con)
    assert {("a1", "a2"), ("a1", "a3"), ("a2", "a3"), ("a1", "b1"), ("d1", "d2")} <= pairs
    assert ("a3", "c1") not in pairs
    assert not any("e1" in pair for pair in pairs)
    assert con.execute("SELECT typeof(key) FROM match_keys LIMIT 1").fetchone() == ("BIGINT",)


def test_keys_stay_the_same(con, people) -> None:
    """They are stored: a version that hashes otherwise would find nobody."""
    blocking_keys(con, features(con, people([("x", None, None, "a@example.com", None, None)])))
    assert con.execute("FROM match_keys").fetchall() == [("x", 936584447177857936)]


def test_a_key_of_many_finds_nobody(con, people) -> None:
    """Five records with one default phone are five strangers where a block holds four."""
    rows = [(f"r{at}", None, "13800138000", None, None, None) for at in range(5)]
    keys = blocking_keys(con, features(con, people(rows)))
    candidates(con, keys, largest_block=4)
    assert _pairs(con) == set()
    candidates(con, keys, largest_block=5)
    assert len(_pairs(con)) == 10


KEYS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 5)), max_size=24, unique=True)


@settings(deadline=None)  # DuckDB starts anew
@given(KEYS, st.sets(st.sampled_from("abcdefgh")))
def test_new_against_stored_is_what_a_rebuild_compares(keys, new: set[str]) -> None:
    """The pairs of new records are those of all that hold a new one; old keys of theirs do not count."""
    con = duckdb.connect(config={"threads": "1"})
    con.execute(
        "CREATE TABLE every_key (record VARCHAR, key UBIGINT); CREATE TABLE new_keys AS FROM every_key"
    )
    if keys:
        con.executemany("INSERT INTO every_key VALUES (?, ?)", keys)
        con.execute("INSERT INTO new_keys FROM every_key WHERE list_contains(?, record)", [sorted(new)])
    candidates(con, "every_key", largest_block=4)
    rebuilt = {pair for pair in _pairs(con) if new & set(pair)}
    con.execute("CREATE TABLE stored AS SELECT * FROM every_key UNION ALL SELECT record, 77 FROM new_keys")
    candidates(con, "new_keys", "stored", largest_block=4)
    assert _pairs(con) == rebuilt
    con.close()
