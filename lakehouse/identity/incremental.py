"""Resolve what is new: only those who have to do with records of which rows came since the last run.

Who has to do with whom is read from everything that was ever said (`sql/edges.sql`), more than what ties: then whatever
the news changes, a phone that is now shared by too many or a customer that falls apart, is within. They are resolved
as `lakehouse.identity.resolve` does with all, and the others keep their rows (`Part` says which these are); together
that is the result of a run over all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import qualified
from lakehouse.identity.likeness import SAID, describe
from lakehouse.identity.policy import HubPolicy, IdentityPolicy
from lakehouse.identity.relation import Relation, run, scalar
from lakehouse.identity.resolve import Resolution, normalise, resolve

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from lakehouse.identity.matching.known import Matched

    # from people of whom there is news, what makes of records (record) the SELECT of what they say, and how many
    # records there are at the most, to all pairs
    NewsMatcher = Callable[[duckdb.DuckDBPyConnection, str, Callable[[str], str], int], "Matched | None"]


# of a walk over millions of edges: 32 bits, since memory counts
_NODES: Final = (
    "CREATE OR REPLACE TEMP MACRO identity_node(kind, name) AS (hash(kind, name) >> 32)::UINTEGER, "
    "(kind, type, name) AS (hash(kind, type, name) >> 32)::UINTEGER"
)
_NODE: Final = "identity_node('record', source || ' ' || record)"  # of a record, as `sql/edges.sql` has it


@dataclass(frozen=True, slots=True)
class Resolved:
    """Relations of what the last run left, by name: the rows of `core.evidence`, `core.identities`, `core.matches`."""

    evidence: str
    identities: str
    matches: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Relations of what a run may have changed, by name; its new rows stand in `identities_new`, and so on.

    `records` (source, record) are those whose rows of `core.evidence` go, `identifiers` (identifier_type,
    identifier_value) likewise of `core.identities`, `pairs` (the key of `core.matches`) where there is a matcher. Those
    rows, as `Resolved` has them, stand in `evidence_rows`, `identity_rows` and `match_rows`.
    """

    resolution: Resolution
    records: str = "identity_touched"
    identifiers: str = "identity_touched_identifiers"
    pairs: str | None = None
    evidence_rows: str = "identity_part_evidence"
    identity_rows: str = "identity_part_before"
    match_rows: str = "identity_part_matches"


def resolve_news(  # noqa: PLR0913 - the relations that it reads
    con: duckdb.DuckDBPyConnection,
    *,
    news: str,
    observations: str,
    people_of: Callable[[str], str],
    before: Resolved,
    words: str | None,
    new_words: str | None = None,
    matcher: NewsMatcher | None,
    now: datetime,
    max_records: int = IdentityPolicy.max_records,
) -> Part | None:
    """Resolve records with news, and who has to do with them; make what `resolve` makes, of these alone.

    `news`: (source, record) of the records with rows that came since `before`; `observations`, `words` are all there
    are by now, of which `new_words` came since. `people_of` makes of a relation of observations the SELECT of what they
    say of their records' persons. Nothing that was observed before has gone.

    None where everybody must be resolved, since the matcher must weigh all pairs anew. `customers` and the other counts
    are of those who were resolved.
    """
    matched = _match(con, news, observations, people_of, before, matcher)
    if matcher is not None and matched is None:
        return None
    _touch(con, news, before, words, new_words, matched, max_records)
    part = "SEMI JOIN identity_touched USING (source, record)"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE identity_part_observations AS FROM {qualified(observations)} {part}"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE identity_part_people AS {people_of('identity_part_observations')}"
    )
    has_matches = matched is not None and before.matches is not None
    matched = matched and _pairs_of_touched(con, matched, has_matches=has_matches)
    resolution = resolve(
        con,
        observations="identity_part_observations",
        previous="identity_part_before",
        people="identity_part_people",
        words=words,
        matcher=matched,
        now=now,
        max_records=max_records,
        known_shared="identity_hubs",
    )
    if not has_matches:
        return Part(resolution)
    con.execute(  # of a pair that is none any more one record may be untouched
        "CREATE OR REPLACE TEMP TABLE identity_touched_pairs AS "
        "SELECT left_source, left_record, right_source, right_record FROM identity_part_matches"
    )
    return Part(resolution, pairs="identity_touched_pairs")


def _pairs_of_touched(con: duckdb.DuckDBPyConnection, matched: Matched, *, has_matches: bool) -> Matched:
    """Return what was found without the pairs of others: both records of a pair are touched, or neither is."""
    names = "(SELECT source || ' ' || record AS name FROM identity_touched)"
    if has_matches and matched.among is not None:
        pairs = matched.among("identity_part_matches")
    else:
        pairs = f"FROM {qualified(matched.pairs)}"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE identity_part_pairs AS SELECT * FROM ({pairs}) "
        f"SEMI JOIN {names} AS t ON t.name = left_record"
    )
    return replace(matched, pairs="identity_part_pairs")


def _match(
    con: duckdb.DuckDBPyConnection,
    news: str,
    observations: str,
    people_of: Callable[[str], str],
    before: Resolved,
    matcher: NewsMatcher | None,
) -> Matched | None:
    """Make `identity_said` and `identity_normal` of the records with news; return who looks like them."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE identity_part_observations AS "
        f"FROM {qualified(observations)} SEMI JOIN {qualified(news)} USING (source, record)"
    )
    normalise(con, Relation(con, "identity_part_observations", ("source", "record")))
    if matcher is None:
        return None
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE identity_part_people AS {people_of('identity_part_observations')}"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE identity_part_records AS SELECT DISTINCT source, record FROM identity_said"
    )
    described = Relation(con, "identity_part_people", ("source", "record"))
    describe(con, "identity_match_people", described, SAID, "identity_part_records")

    def others_of(records: str) -> str:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE identity_part_records AS SELECT split_part(record, ' ', 1) AS source, "
            f"substr(record, position(' ' IN record) + 1) AS record FROM {qualified(records)}"
        )
        said = f"(FROM {qualified(observations)} SEMI JOIN identity_part_records USING (source, record))"
        con.execute(f"CREATE OR REPLACE TEMP TABLE identity_part_people AS {people_of(said)}")
        carried = (
            "SELECT source, record, identifier_type AS type, identifier_value AS normal, until, "
            f"standing = 'placeholder' AS placeholder FROM {qualified(before.evidence)} "
            "SEMI JOIN identity_part_records USING (source, record) WHERE identifier_value IS NOT NULL"
        )
        people = Relation(con, "identity_part_people", ("source", "record"))
        describe(con, "identity_match_others", people, carried, "identity_part_records")
        return "FROM identity_match_others"

    # a record that was resolved before names itself
    known = scalar(con, f"SELECT count(*) FROM {qualified(before.evidence)} WHERE own")
    new = scalar(con, f"SELECT count(*) FROM {qualified(news)}")
    return matcher(con, "identity_match_people", others_of, known + new)


def _touch(  # noqa: PLR0913, PLR0917 - all that may say who has to do with whom
    con: duckdb.DuckDBPyConnection,
    news: str,
    before: Resolved,
    words: str | None,
    new_words: str | None,
    matched: Matched | None,
    max_records: int,
) -> None:
    """Make `identity_touched` (source, record) and `identity_touched_identifiers`: all that the news may change.

    Hubs are not walked, of which enough people are left that the news do not touch: so `identity_hubs` says in the end.
    """
    con.execute(_NODES)
    run(
        con,
        "hubs",
        names={
            "evidence": qualified(before.evidence),
            "previous": qualified(before.identities),
            "least_records": str(HubPolicy.least_records),
        },
    )
    while True:
        _walk(con, news, before, words, new_words, matched)
        doubtful = con.execute(
            "DELETE FROM identity_hubs AS h WHERE h.people - ("
            f"SELECT count(DISTINCT (source, record)) FROM ({_carried(before)}) AS c SEMI JOIN identity_touched "
            "USING (source, record) WHERE c.identifier_type = h.identifier_type "
            f"AND c.identifier_value = h.identifier_value) <= {max_records} RETURNING 1"
        ).fetchall()
        if not doubtful:
            return


def _carried(before: Resolved) -> str:
    """Return what records carry of hubs, or carried."""
    return (
        f"SELECT source, record, identifier_type, identifier_value FROM {qualified(before.evidence)} "
        "SEMI JOIN identity_hubs USING (identifier_type, identifier_value)"
    )


def _walk(
    con: duckdb.DuckDBPyConnection,
    news: str,
    before: Resolved,
    words: str | None,
    new_words: str | None,
    matched: Matched | None,
) -> None:
    """Make what `_touch` makes, by what hangs together but for hubs."""
    nobody = "(SELECT '' AS one_type, '' AS one_value, '' AS other_type, '' AS other_value LIMIT 0)"
    no_pairs = "(SELECT '' AS left_record, '' AS right_record LIMIT 0)"
    run(
        con,
        "edges",
        names={
            "evidence": qualified(before.evidence),
            "carried": SAID,
            "previous": qualified(before.identities),
            "words": qualified(words) if words else nobody,
            "pairs": qualified(matched.pairs) if matched else no_pairs,
        },
    )
    spoken_of = (
        f"UNION SELECT identity_node('identifier', one_type, id_form(one_type, one_value)) FROM {qualified(new_words)}"
        if new_words
        else ""
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE identity_reached AS "
        f"SELECT {_NODE} AS node FROM {qualified(news)} {spoken_of}"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE identity_frontier AS FROM identity_reached")
    while scalar(con, "SELECT count(*) FROM identity_frontier"):
        con.execute(
            "CREATE OR REPLACE TEMP TABLE identity_frontier AS SELECT DISTINCT node FROM ("
            "SELECT other AS node FROM identity_edges WHERE one IN (FROM identity_frontier) UNION ALL "
            "SELECT one FROM identity_edges WHERE other IN (FROM identity_frontier)) "
            "ANTI JOIN identity_reached USING (node)"
        )
        con.execute("INSERT INTO identity_reached FROM identity_frontier")
    con.execute("DROP TABLE identity_edges; DROP TABLE identity_frontier")  # first: they are large
    _take_reached(con, news, before)
    con.execute("DROP TABLE identity_reached")


def _take_reached(con: duckdb.DuckDBPyConnection, news: str, before: Resolved) -> None:
    """Make of `identity_reached` the tables of what is touched, and of its rows; of each table that it reads once."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE identity_part_evidence AS FROM {qualified(before.evidence)} "
        f"WHERE {_NODE} IN (FROM identity_reached)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE identity_touched AS SELECT source, record FROM identity_part_evidence "
        f"UNION SELECT source, record FROM {qualified(news)}"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE identity_part_before AS FROM {qualified(before.identities)} "
        "WHERE identity_node('identifier', identifier_type, identifier_value) IN (FROM identity_reached)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE identity_touched_identifiers AS "
        "SELECT identifier_type, identifier_value FROM identity_part_before"
    )
    if before.matches is not None:
        left, right = (
            f"identity_node('record', {side}_source || ' ' || {side}_record)" for side in ("left", "right")
        )
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE identity_part_matches AS FROM {qualified(before.matches)} "
            f"WHERE {left} IN (FROM identity_reached) OR {right} IN (FROM identity_reached)"
        )
