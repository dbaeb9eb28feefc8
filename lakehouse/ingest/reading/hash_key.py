"""The key that values are hashed with (`collect: hash`): from the secret store to DuckDB, and nowhere else.

Whoever has it can try values until a hash fits; without it a hash says nothing. Another key gives other hashes, which
are equal to none of before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse import telemetry
from lakehouse.errors import LakehouseError, Terminal
from lakehouse.secrets import secret

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source

INNER, OUTER = "hash_inner", "hash_outer"  # variables of a connection
_BLOCK = 64  # bytes that SHA-256 takes at a time
_SHORTEST = 32  # characters


@dataclass(frozen=True)
class HashKey:
    """A key as HMAC-SHA-256 (RFC 2104) wants it: filled up to a block, and combined with each of the two pads."""

    inner: bytes = field(repr=False)
    outer: bytes = field(repr=False)

    @classmethod
    def of(cls, key: bytes) -> HashKey:
        """Prepare a key of any length."""
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        return cls(bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block))

    def tell(self, con: duckdb.DuckDBPyConnection) -> None:
        """Let a connection hash with it. Cursors do not inherit it. No SQL text, and so no error, quotes it."""
        con.execute(f"SET VARIABLE {INNER} = ?", [self.inner])
        con.execute(f"SET VARIABLE {OUTER} = ?", [self.outer])


def hash_key(settings: Settings, source: Source) -> HashKey | None:
    """Return the key where the source hashes something; None, and no question asked, where it does not.

    Raises Transient when the secret cannot be read, Terminal when it holds no key that is long enough: nothing of the
    source loads until it does.
    """
    if not source.hashes:
        return None
    try:
        key = secret(settings.hash_secret).get("key")
        if not isinstance(key, str) or len(key) < _SHORTEST:
            raise Terminal(
                f'secret {settings.hash_secret} has no key of at least {_SHORTEST} characters: write {{"key": "…"}} '
                "into it, such as what `openssl rand -hex 32` prints, and never change it"
            )
    except LakehouseError as error:  # it quotes the secret's name, never its value
        telemetry.failed("no hash key", error, table=source.table, reason=str(error))
        raise
    return HashKey.of(key.encode())
