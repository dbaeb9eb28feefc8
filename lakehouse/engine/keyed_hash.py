"""HMAC-SHA-256 (RFC 2104) in SQL, with a key that is in variables of the connection and in no SQL text.

Whoever has the key can try values until a hash fits; without it a hash says nothing. Another key gives other hashes:
none of them equals one that was made before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import literal
from lakehouse.engine.subject_words import ADDRESS_TYPES, OF_ADDRESSES, OF_IDENTIFIERS, SUBJECT_DIGITS

if TYPE_CHECKING:
    import duckdb

INNER, OUTER = "hash_inner", "hash_outer"  # variables of a connection
_BLOCK_BYTES: Final = 64  # what SHA-256 takes at a time (FIPS 180-4)
_INNER_PAD: Final = 0x36  # RFC 2104
_OUTER_PAD: Final = 0x5C  # RFC 2104


@dataclass(frozen=True)
class HashKey:
    """A key as HMAC-SHA-256 (RFC 2104) takes it: filled up to a block, and combined with each of the two pads."""

    inner: bytes = field(repr=False)
    outer: bytes = field(repr=False)

    @classmethod
    def prepare(cls, key: bytes) -> HashKey:
        """Return a key of any length, prepared for hashing."""
        short_key = hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key
        block = short_key.ljust(_BLOCK_BYTES, b"\0")
        return cls(bytes(byte ^ _INNER_PAD for byte in block), bytes(byte ^ _OUTER_PAD for byte in block))

    def set_on(self, con: duckdb.DuckDBPyConnection) -> None:
        """Let a connection hash with it. Cursors do not inherit it. No SQL text, and so no error, quotes it."""
        con.execute(f"SET VARIABLE {INNER} = ?", [self.inner])
        con.execute(f"SET VARIABLE {OUTER} = ?", [self.outer])


def hmac_sql(text_sql: str) -> str:
    """Return the SQL of HMAC-SHA-256 (RFC 2104) of the UTF-8 text, as 64 hexadecimal digits; null without a key."""
    inner_digest = f"unhex(sha256(getvariable({literal(INNER)}) || encode({text_sql})))"
    return f"sha256(getvariable({literal(OUTER)}) || {inner_digest})"


def subject_hash_sql(type_sql: str, value_sql: str) -> str:
    """Return the SQL of an identifier's hash: of e-mails and phones by the address alone, of others with their type."""
    words = (
        f"CASE WHEN {type_sql} IN {ADDRESS_TYPES!r} THEN {literal(OF_ADDRESSES)} || chr(0) || {value_sql} "
        f"ELSE {literal(OF_IDENTIFIERS)} || chr(0) || {type_sql} || chr(0) || {value_sql} END"
    )
    return f"left({hmac_sql(words)}, {SUBJECT_DIGITS})"


def needs_key_sql(hash_sql: str) -> str:
    """Return the SQL of a hash, an error on a connection without the key: nothing would equal it there."""
    message = "no hash key on this connection: who was erased cannot be told"
    # behind the hash, so that it is no constant, which DuckDB computes though there is no row
    error = f"error({literal(message)} || left({hash_sql}, 0))"
    return f"CASE WHEN getvariable({literal(INNER)}) IS NULL THEN {error} ELSE {hash_sql} END"
