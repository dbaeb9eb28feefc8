"""The key that values are hashed with (`collect: hash`): from the secret store to DuckDB, and nowhere else.

Whoever has the key can try values until a hash fits; without it a hash says nothing. Another key gives other hashes:
none of them equals one that was made before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lakehouse import telemetry
from lakehouse.errors import LakehouseError, Terminal
from lakehouse.ingest.reading.policy import HashKeyPolicy
from lakehouse.secrets import secret

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source

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


def hash_key(settings: Settings, source: Source) -> HashKey | None:
    """Return the key where the source hashes something; None, without reading the secret, where it does not.

    Raises Transient when the secret cannot be read, Terminal when it holds no key that is long enough: nothing of the
    source loads until it does.
    """
    if not source.hashes:
        return None
    try:
        key = secret(settings.hash_secret).get("key")
        if not isinstance(key, str) or len(key) < HashKeyPolicy.min_characters:
            raise Terminal(
                f"secret {settings.hash_secret} has no key of at least {HashKeyPolicy.min_characters} characters: "
                'write {"key": "…"} '
                "into it, such as what `openssl rand -hex 32` prints, and never change it"
            )
    except LakehouseError as error:  # it quotes the secret's name, never its value
        telemetry.failed("no hash key", error, table=source.table, reason=str(error))
        raise
    return HashKey.prepare(key.encode())
