"""Keyed hashes in SQL: those that Python makes, and none without the key."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.engine.keyed_hash import HashKey
from lakehouse.privacy.address_hash import AddressHasher

KEY = b"a key of thirty-two characters or more"


@pytest.fixture
def con():
    with duckdb.connect() as made:
        sql_functions.create(made)
        yield made


@pytest.mark.parametrize("kind", ["address", "email", "phone", "crm_id", "user_id"])
@pytest.mark.parametrize("value", ["ann@x.org", "+8613800001111", "Ünï", "17", "'); --", "", "x" * 10_000])
def test_a_subject_has_one_hash_whoever_makes_it(con, kind, value):
    """An e-mail and a phone are known by the address alone, other ids with their type."""
    HashKey.prepare(KEY).set_on(con)
    found = con.execute("SELECT subject_hash($kind, $value)", {"kind": kind, "value": value}).fetchone()
    assert found == (AddressHasher(KEY).hash_identifier(kind, value),)
    assert (found == (AddressHasher(KEY).hash(value),)) == (kind in ("address", "email", "phone"))


def test_without_the_key_a_hash_that_is_needed_is_an_error(con):
    """Where there is none that is needed, it is none."""
    assert con.execute("SELECT subject_hash('email', 'ann@x.org')").fetchone() == (None,)
    con.execute("CREATE TABLE hashes (hash VARCHAR)")
    assert con.execute("SELECT needs_hash_key(hash) FROM hashes").fetchall() == []
    con.execute("INSERT INTO hashes VALUES ('abc')")
    with pytest.raises(duckdb.InvalidInputException, match="no hash key on this connection"):
        con.execute("SELECT needs_hash_key(hash) FROM hashes").fetchall()
