"""Blocking keys: what two records must have in common to be compared; stored, so that few new ones cost little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.engine.escape import qualified
from lakehouse.identity.matching.features import step_sql
from lakehouse.identity.matching.policy import MatchPolicy

if TYPE_CHECKING:
    import duckdb


def blocking_keys(con: duckdb.DuckDBPyConnection, features: str) -> str:
    """Return the name of a temp table (record VARCHAR, key BIGINT): the keys of each record of `features`.

    A key is a hash of its text that stays the same between versions, so the table can be stored.
    """
    con.execute(step_sql("keys", features=qualified(features)))
    return "match_keys"


def candidates(
    con: duckdb.DuckDBPyConnection,
    new_keys: str,
    stored_keys: str | None = None,
    *,
    largest_block: int = MatchPolicy.largest_block,
) -> str:
    """Return the name of a temp table (left_record, right_record, the smaller text first): pairs to be scored.

    Those of new records with each other, and with the records of `stored_keys` that share a key; what is stored of a
    new record does not count. A key that more than `largest_block` records share, new and stored, finds nobody.
    """
    stored = (
        f"SELECT record, key FROM {qualified(stored_keys)}"
        if stored_keys
        else "SELECT '', 0::BIGINT WHERE false"
    )
    con.execute(
        step_sql("candidates", new_keys=qualified(new_keys), stored_keys=stored),
        {"largest_block": largest_block},
    )
    return "match_pairs"
