"""The key that values are hashed with (`collect: hash`): from the secret store to DuckDB, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse import telemetry
from lakehouse.engine.keyed_hash import HashKey
from lakehouse.errors import LakehouseError, Terminal
from lakehouse.ingest.reading.policy import HashKeyPolicy
from lakehouse.secrets import secret

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source


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
