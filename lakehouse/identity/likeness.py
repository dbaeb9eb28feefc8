"""Records that look alike without sharing an identifier: what is compared of them, and what became of each pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.identity.clusters import contradict_across
from lakehouse.identity.matching.known import fingerprint_sql
from lakehouse.identity.matching.policy import MatchPolicy
from lakehouse.identity.relation import create_table, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from lakehouse.identity.matching.known import Matched
    from lakehouse.identity.persons import Described
    from lakehouse.identity.relation import Relation
    from lakehouse.identity.ties import Likenesses

# columns of people that are compared, besides their addresses
_COMPARED = ("first_name", "last_name", "name", "birth_date", "address", "city", "country")
# what the records of `identity_said` carry
SAID = (
    "SELECT s.source, s.record, s.type, n.normal, s.until, n.placeholder FROM identity_said AS s "
    "JOIN identity_normal AS n USING (type, value, region)"
)


def describe(
    con: duckdb.DuckDBPyConnection, target: str, people: Relation, carried: str, records: str
) -> None:
    """Make the temp table `target`, what is compared of each of the `records` (source, record) that says who it is.

    `carried`: the SELECT of (source, record, type, normal, until, placeholder), a row an identifier.
    """
    names = {name: name if name in people.columns else "NULL::VARCHAR" for name in _COMPARED}
    compared = ("given_name", "surname", "name", *_COMPARED[3:], "phone", "email")
    relations = {"target": target, "described": people.sql, "carried": carried, "records": records}
    run(con, "match_people", names={**names, **relations, "fingerprint": fingerprint_sql(*compared)})


def likenesses(con: duckdb.DuckDBPyConnection, matched: Matched) -> Likenesses:
    """Return the pairs that are tied without a person's word, by the numbers of `identity_records`."""
    from lakehouse.identity.ties import Likenesses  # noqa: PLC0415 - numpy, only when used

    run(con, "match_ties", names={"pairs": matched.pairs})
    pairs = con.execute(
        "SELECT one, other, weight_bits FROM identity_match_ties WHERE weight_bits >= ? ORDER BY ALL",
        [MatchPolicy.automatic_bits],
    ).fetchnumpy()
    return Likenesses(pairs["one"], pairs["other"], pairs["weight_bits"], undenied=not matched.model.vetoes)


def _denied(con: duckdb.DuckDBPyConnection, described: Described) -> Iterator[tuple[int, int]]:
    """Yield the pairs that are heavy enough for a look, and of which records of the two customers contradict."""
    between = (
        "SELECT m.one, m.other, l.component AS mine, r.component AS theirs FROM identity_match_ties AS m "
        "JOIN identity_people AS l ON l.record_id = m.one JOIN identity_people AS r ON r.record_id = m.other "
        f"WHERE m.weight_bits < {MatchPolicy.automatic_bits} AND l.component <> r.component"
    )
    pairs = con.execute(between).fetchall()
    members = dict(  # to bind the components takes far longer than to find them once more
        con.execute(
            "SELECT component, list(record_id) FROM identity_people "
            f"WHERE component IN (SELECT unnest([mine, theirs]) FROM ({between})) GROUP BY component"
        ).fetchall()
    )
    for one, other, left, right in pairs:
        if contradict_across(members[left], members[right], described.facts):
            yield one, other


def note_matches(con: duckdb.DuckDBPyConnection, matched: Matched, described: Described) -> None:
    """Make `matches_new`. What is heavy enough for a look is not worth one where the two customers contradict."""
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    denied = list(_denied(con, described)) if matched.model.vetoes else []
    ones, others = zip(*denied, strict=True) if denied else ((), ())
    create_table(
        con,
        "identity_match_denied",
        {"one": pa.array(ones, pa.int64()), "other": pa.array(others, pa.int64())},
    )
    run(con, "matches_new", {"automatic_bits": MatchPolicy.automatic_bits}, {"pairs": matched.pairs})
