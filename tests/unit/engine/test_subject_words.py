"""What stands before an identifier when it is hashed: SQL and Python come to one hash, and kinds are told apart."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import closing

import duckdb
import pytest

from lakehouse.engine.keyed_hash import HashKey, subject_hash_sql
from lakehouse.engine.subject_words import OF_ADDRESSES, OF_IDENTIFIERS, SUBJECT_DIGITS
from lakehouse.privacy.address_hash import AddressHasher

KEY = b"a key of these tests, long enough"


def in_sql(kind: str, value: str) -> str:
    with closing(duckdb.connect()) as con:
        HashKey.prepare(KEY).set_on(con)
        query = f"SELECT {subject_hash_sql('kind', 'value')} FROM (SELECT ? AS kind, ? AS value)"
        ((found,),) = con.execute(query, [kind, value]).fetchall()
    return found


@pytest.mark.parametrize("kind", ["address", "email", "phone", "user_id", "hubspot contact"])
@pytest.mark.parametrize("value", ["ann@example.com", "+8613800001110", "王伟", ""])
def test_sql_and_python_come_to_the_hash_that_the_words_give(kind: str, value: str) -> None:
    """HMAC-SHA-256 of the words with a null character between; hashes that are stored must be found again."""
    is_address = kind in ("address", "email", "phone")
    words = ["consent address", value] if is_address else ["consent identifier", kind, value]
    digest = hmac.new(KEY, "\0".join(words).encode(), hashlib.sha256).hexdigest()[:32]
    assert in_sql(kind, value) == AddressHasher(KEY).hash_identifier(kind, value) == digest


def test_an_identifier_never_has_the_hash_of_an_address() -> None:
    """The words differ, and none is the beginning of the other, whatever stands behind."""
    assert not OF_ADDRESSES.startswith(OF_IDENTIFIERS)
    assert not OF_IDENTIFIERS.startswith(OF_ADDRESSES)
    assert "\0" not in OF_ADDRESSES + OF_IDENTIFIERS
    hashes = {in_sql(kind, "1") for kind in ("address", "email", "phone", "user_id", "anonymous_id")}
    assert len(hashes) == 3
    assert {len(each) for each in hashes} == {SUBJECT_DIGITS}
