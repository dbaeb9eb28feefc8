"""Matching with a memory: what earlier runs weighed stays, and only what records newly say is compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import literal, qualified
from lakehouse.identity.matching.features import step_sql
from lakehouse.identity.matching.matches import keys_of_new, match_all, match_new
from lakehouse.identity.matching.model import comparisons_version
from lakehouse.identity.matching.policy import MatchPolicy
from lakehouse.identity.policy import RULES_VERSION
from lakehouse.identity.relation import scalar

if TYPE_CHECKING:
    import duckdb

    from lakehouse.identity.matching.model import Model


# of what is stored of a record the newest generation counts
_IS_NEWEST: Final = "generation >= coalesce(newest, generation)"


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier run left: relations, by name, and the model that it used.

    `keys`: (record, said, key, generation) of each record that was looked at, the key null where it has none; `pairs`:
    what `Matched.pairs` was. `said` is the fingerprint of what the record said then: what it says otherwise now is new.
    Of what was stored of a record the highest generation counts. `record` is the SQL that names a record of `keys`,
    where no column of that name does: it is asked of the rows that are found, and of no others.
    """

    keys: str
    pairs: str
    model: Model
    record: str = "record"


@dataclass(frozen=True, slots=True)
class Matched:
    """Temp tables or views, by name, and the model that was used.

    `pairs`: (left_record, left_said, right_record, right_said, weight_bits, explanation as JSON) of all records, of the
    weight that somebody should look at, or more. `keys`: (record, said, key, generation) to be added to what is known,
    or, where `replaces`, to stand in its place. `among` makes of some rows of `core.matches` the SELECT of what was
    found and of those that still count: where they are all of some records, these records' `pairs`.
    """

    pairs: str
    keys: str
    model: Model
    replaces: bool
    among: Callable[[str], str] | None = None


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
    if _fresh(con, known) > MatchPolicy.largest_news * count:
        return _all(con, people, known.model)
    # who is there no more has no pair, and is no candidate
    is_there = "SEMI JOIN match_said AS {0} ON {0}.record = k.{1}record AND {0}.said = k.{1}said"
    people_of = f"FROM {qualified(people)} SEMI JOIN {{}} USING (record)".format
    kept = f"{is_there.format('l', 'left_')} {is_there.format('r', 'right_')}"
    return _weigh_fresh(con, people, people_of, known, kept, is_there.format("p", ""))


def match_news(
    con: duckdb.DuckDBPyConnection,
    people: str,
    others_of: Callable[[str], str],
    known: Known,
    most: int | None = None,
) -> Matched | None:
    """Do what `match` does where `people` holds only those of whom rows came since; None where all must be weighed.

    `others_of` makes of the name of a relation (record) the SELECT of what these others say, as `people` has it.
    There are no more than `most` records by now, where that is known, and nobody has gone meanwhile.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE match_said AS SELECT record, said FROM {qualified(people)}")
    may_be_outgrown = most is None or _outgrown(known.model, most)
    if (may_be_outgrown and _outgrown(known.model, _count(con, known))) or _is_much(con, known):
        return None

    def people_of(records: str) -> str:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE match_others AS FROM {records} ANTI JOIN match_said USING (record)"
        )
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE match_known AS FROM {qualified(people)} SEMI JOIN {records} USING (record) "
            f"UNION ALL BY NAME {others_of('match_others')}"
        )
        con.execute(
            "INSERT INTO match_said SELECT record, said FROM match_known ANTI JOIN match_said USING (record)"
        )
        return "FROM match_known"

    says_otherwise = "ANTI JOIN match_said AS {0} ON {0}.record = k.{1}record AND {0}.said <> k.{1}said"
    kept = f"{says_otherwise.format('l', 'left_')} {says_otherwise.format('r', 'right_')}"
    found = _weigh_fresh(con, people, people_of, known, None, "")

    def with_known(pairs: str) -> str:
        return f"FROM {found.pairs} UNION ALL BY NAME SELECT k.* FROM {pairs} AS k {kept}"

    # those of everybody are only looked at: to copy them takes more than all else
    con.execute(f"CREATE OR REPLACE TEMP VIEW match_found_and_known AS {with_known(qualified(known.pairs))}")
    return replace(
        found,
        pairs="match_found_and_known",
        among=lambda matches: with_known(f"({pairs_sql(qualified(matches))})"),
    )


def pairs_sql(matches: str) -> str:
    """Return the SELECT of `Matched.pairs` from SQL of a relation of rows of `core.matches`."""
    return (
        "SELECT left_source || ' ' || left_record AS left_record, left_said, "
        f"right_source || ' ' || right_record AS right_record, right_said, weight_bits, explanation FROM {matches}"
    )


def _count(con: duckdb.DuckDBPyConnection, known: Known) -> int:
    """Return how many records are known, or new."""
    everybody = f"SELECT record FROM match_said UNION ALL SELECT {known.record} FROM {qualified(known.keys)}"
    # hashes: of texts it would take twice as long, and two that collide change a count of a million by one
    return scalar(con, f"SELECT count(DISTINCT hash(record)) FROM ({everybody})")


def _is_much(con: duckdb.DuckDBPyConnection, known: Known) -> bool:
    """Return whether so many are new that to weigh all is quicker. Most records have more than one key."""
    fresh = _fresh(con, known)
    few = scalar(con, f"SELECT count(*) FROM {qualified(known.keys)}") / MatchPolicy.most_keys
    return fresh > MatchPolicy.largest_news * few and fresh > MatchPolicy.largest_news * _count(con, known)


def _fresh(con: duckdb.DuckDBPyConnection, known: Known) -> int:
    """Make `match_fresh`, the records whose statements nobody has looked at; return how many there are.

    And `match_newer`, of the records that were looked at since the first generation the newest one. Fingerprints are
    looked up, which are numbers; to look up the records takes five times as long.
    """
    keys = qualified(known.keys)
    first = scalar(con, f"SELECT min(generation) FROM {keys}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE match_newer AS SELECT {known.record} AS record, max(generation) AS newest "
        f"FROM {keys} WHERE generation > {first} GROUP BY ALL"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_fresh AS FROM match_said ANTI JOIN ("
        f"SELECT record, said FROM ({_found(known, 'match_said', 'said')}) "
        f"LEFT JOIN match_newer USING (record) WHERE {_IS_NEWEST}) USING (record, said)"
    )
    return scalar(con, "SELECT count(*) FROM match_fresh")


def _found(known: Known, asked: str, column: str) -> str:
    """Return the SELECT of the stored keys that have a value of a column which is asked for."""
    stored = f"FROM {qualified(known.keys)} SEMI JOIN {asked} USING ({column})"
    return f"SELECT {known.record} AS record, said, key, generation FROM ({stored})"


def _weigh_fresh(
    con: duckdb.DuckDBPyConnection,
    people: str,
    people_of: Callable[[str], str],
    known: Known,
    kept: str | None,
    is_there: str,
) -> Matched:
    """Weigh what is in `match_fresh`; `kept` and `is_there` are joins that known pairs and keys (`k`) must meet.

    Without `kept` no pairs are noted that are known.
    """
    pairs = f"SELECT k.* FROM {qualified(known.pairs)} AS k {kept or 'WHERE false'}"
    if not scalar(con, "SELECT count(*) FROM match_fresh"):
        con.execute(f"CREATE OR REPLACE TEMP TABLE match_found AS {pairs}")
        _note_keys(con, "match_fresh", None, known)
        return Matched("match_found", "match_found_keys", known.model, replaces=False)
    keys = keys_of_new(con, people, "match_fresh")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_stored AS SELECT k.record, k.key "
        f"FROM ({_found(known, keys, 'key')}) AS k "
        f"LEFT JOIN match_newer USING (record) {is_there} WHERE {_IS_NEWEST}"
    )
    found = match_new(con, people_of, keys, "match_stored", known.model)
    _note(con, found.scores, pairs)
    _note_keys(con, "match_fresh", found.keys, known)
    con.execute("DROP TABLE match_stored")
    return Matched("match_found", "match_found_keys", known.model, replaces=False)


def _outgrown(model: Model, count: int) -> bool:
    """Return whether chance is another now, since there are far more records than the model has counted."""
    return count > MatchPolicy.grown * model.records


def _all(con: duckdb.DuckDBPyConnection, people: str, model: Model | None) -> Matched:
    found = match_all(con, people, model)
    _note(con, found.scores)
    _note_keys(con, "match_said", found.keys, None)
    return Matched("match_found", "match_found_keys", found.model, replaces=True)


def _note(con: duckdb.DuckDBPyConnection, scores: str, kept: str | None = None) -> None:
    """Make `match_found` of pairs that were scored, and of those that are `kept`."""
    scored = (
        "SELECT s.left_record, l.said AS left_said, s.right_record, r.said AS right_said, s.weight_bits, "
        f"to_json(s.explanation)::VARCHAR AS explanation FROM {qualified(scores)} AS s "
        "JOIN match_said AS l ON l.record = s.left_record JOIN match_said AS r ON r.record = s.right_record"
    )
    both = f"{scored} UNION ALL BY NAME {kept}" if kept else scored
    con.execute(f"CREATE OR REPLACE TEMP TABLE match_found AS {both}")


def _note_keys(con: duckdb.DuckDBPyConnection, records: str, keys: str | None, known: Known | None) -> None:
    """Make `match_found_keys` of the keys that some records have by now."""
    generation = f"(SELECT coalesce(max(generation), 0) + 1 FROM {qualified(known.keys)})" if known else "1"
    own = qualified(keys) if keys else "(SELECT '' AS record, 0::BIGINT AS key LIMIT 0)"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_found_keys AS "
        f"SELECT record, said, key, {generation}::BIGINT AS generation FROM {qualified(records)} "
        f"LEFT JOIN {own} USING (record)"
    )


def fingerprint_sql(*columns: str) -> str:
    """Return the SQL of the fingerprint of what a record says: a BIGINT that every version computes alike."""
    texts = ", ".join(f"coalesce({column}::VARCHAR, '')" for column in columns)
    return f"(md5_number_lower(concat_ws(chr(31), {literal(_version())}, {texts})) >> 1)::BIGINT"


@cache
def _version() -> str:
    """Return what changes when records are read or compared otherwise: then all that they say is new."""
    texts = (RULES_VERSION, step_sql("people"), step_sql("keys"), comparisons_version())
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]
