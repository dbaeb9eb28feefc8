"""Matching with a memory: what earlier runs weighed stays, and only what records newly say is compared."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from lakehouse.engine.escape import literal, qualified
from lakehouse.identity.matching.features import step_sql
from lakehouse.identity.matching.matches import match_all, match_new
from lakehouse.identity.matching.model import comparisons_version
from lakehouse.identity.matching.policy import MatchPolicy
from lakehouse.identity.relation import scalar

if TYPE_CHECKING:
    import duckdb

    from lakehouse.identity.matching.model import Model


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier run left: relations, by name, and the model that it used.

    `keys`: (record, said, key) of each record that was looked at, the key null where it has none; `pairs`: what
    `Matched.pairs` was. `said` is the fingerprint of what the record said then: what it says otherwise now is new.
    """

    keys: str
    pairs: str
    model: Model


@dataclass(frozen=True, slots=True)
class Matched:
    """Temp tables, by name, and the model that was used.

    `pairs`: (left_record, left_said, right_record, right_said, weight_bits, explanation as JSON) of all records, of the
    weight that somebody should look at, or more. `keys`: (record, said, key) to be added to what is known, or, where
    `replaces`, to stand in its place. `said`: (record, said) of all that were looked at.
    """

    pairs: str
    keys: str
    said: str
    model: Model
    replaces: bool


def match(con: duckdb.DuckDBPyConnection, people: str, known: Known | None) -> Matched:
    """Weigh the pairs of `people` (record, said, and `features.COLUMNS`) that may be one person.

    With what is known only pairs with a record that is new, or says something new, are looked for: with the same model
    pairs and weights are those of a run over all. A key that meanwhile more records share than a block may have keeps
    the pairs that it found before.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE match_said AS SELECT record, said FROM {qualified(people)}")
    count = scalar(con, "SELECT count(*) FROM match_said")
    if known is None or _outgrown(known.model, count):
        return _all(con, people, None)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE match_fresh AS FROM match_said "
        f"ANTI JOIN (SELECT record, said FROM {qualified(known.keys)}) USING (record, said)"
    )
    fresh = scalar(con, "SELECT count(*) FROM match_fresh")
    if fresh > MatchPolicy.largest_news * count:
        return _all(con, people, known.model)
    kept = (
        f"SELECT k.* FROM {qualified(known.pairs)} AS k "
        "SEMI JOIN match_said AS l ON l.record = k.left_record AND l.said = k.left_said "
        "SEMI JOIN match_said AS r ON r.record = k.right_record AND r.said = k.right_said"
    )
    if not fresh:
        con.execute(f"CREATE OR REPLACE TEMP TABLE match_found AS {kept}")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE match_found_keys AS SELECT '' AS record, 0 AS said, 0 AS key LIMIT 0"
        )
        return Matched("match_found", "match_found_keys", "match_said", known.model, replaces=False)
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW match_stored AS SELECT k.record, k.key FROM {qualified(known.keys)} AS k "
        "SEMI JOIN match_said AS p ON p.record = k.record AND p.said = k.said WHERE k.key IS NOT NULL"
    )
    found = match_new(con, people, "match_fresh", "match_stored", known.model)
    _note(con, found.scores, kept)
    _note_keys(con, "match_fresh", found.keys)
    con.execute("DROP VIEW match_stored")
    return Matched("match_found", "match_found_keys", "match_said", known.model, replaces=False)


def _outgrown(model: Model, count: int) -> bool:
    """Return whether chance is another now, since there are far more records than the model has counted."""
    return count > MatchPolicy.grown * model.records


def _all(con: duckdb.DuckDBPyConnection, people: str, model: Model | None) -> Matched:
    found = match_all(con, people, model)
    _note(con, found.scores)
    _note_keys(con, "match_said", found.keys)
    return Matched("match_found", "match_found_keys", "match_said", found.model, replaces=True)


def _note(con: duckdb.DuckDBPyConnection, scores: str, kept: str | None = None) -> None:
    """Make `match_found` of pairs that were scored, and of those that are `kept`."""
    scored = (
        "SELECT s.left_record, l.said AS left_said, s.right_record, r.said AS right_said, s.weight_bits, "
        f"to_json(s.explanation)::VARCHAR AS explanation FROM {qualified(scores)} AS s "
        "JOIN match_said AS l ON l.record = s.left_record JOIN match_said AS r ON r.record = s.right_record"
    )
    both = f"{scored} UNION ALL BY NAME {kept}" if kept else scored
    con.execute(f"CREATE OR REPLACE TEMP TABLE match_found AS {both}")


def _note_keys(con: duckdb.DuckDBPyConnection, records: str, keys: str) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_found_keys AS SELECT record, said, key "
        f"FROM {qualified(records)} LEFT JOIN {qualified(keys)} USING (record)"
    )


def fingerprint_sql(*columns: str) -> str:
    """Return the SQL of the fingerprint of what a record says: a BIGINT that every version computes alike."""
    texts = ", ".join(f"coalesce({column}::VARCHAR, '')" for column in columns)
    return f"(md5_number_lower(concat_ws(chr(31), {literal(_version())}, {texts})) >> 1)::BIGINT"


@cache
def _version() -> str:
    """Return what changes when records are read or compared otherwise: then all that they say is new."""
    texts = (step_sql("people"), step_sql("keys"), comparisons_version())
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]
