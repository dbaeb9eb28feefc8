"""Who is who in a lake, held against the truth: pairs of records of one person, found, asked about, or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import duckdb

# customers of whose records somebody is asked whether they are one person's
_ASKED = """
    CREATE TEMP TABLE asked AS
    WITH named AS (
        SELECT source, record, customer_id FROM core.evidence
        JOIN core.identities USING (identifier_type, identifier_value) WHERE own
    )
    SELECT DISTINCT least(l.customer_id, r.customer_id) AS one, greatest(l.customer_id, r.customer_id) AS other
    FROM core.matches AS m
    JOIN named AS l ON l.source = left_source AND l.record = left_record
    JOIN named AS r ON r.source = right_source AND r.record = right_record
    WHERE m.standing = 'review'
"""
_PAIRS = """
    SELECT count(*), count(*) FILTER (a.customer_id = b.customer_id), count(*) FILTER (
        (least(a.customer_id, b.customer_id), greatest(a.customer_id, b.customer_id))
            IN (SELECT (one, other) FROM asked)
    )
    FROM known AS a JOIN known AS b ON a.person_id = b.person_id AND a.n < b.n
"""
_MIXED = "FROM (SELECT customer_id FROM known GROUP BY 1 HAVING count(DISTINCT person_id) > 1)"


class Score(NamedTuple):
    """Customers that mix people; pairs of one person's records, those in one customer, those in review; questions."""

    mixed: int
    pairs: int
    found: int
    in_review: int
    questions: int


def score(con: duckdb.DuckDBPyConnection, truth: list[tuple[str, str, str, str]]) -> Score:
    """Return the score of records whose person is known; makes the table `known` of them.

    `truth`: of each kind the SQL of a table with person_id, the core table, the truth's column of its ids, and the SQL
    of its source.
    """
    records = [
        f"SELECT t.person_id, c.customer_id FROM {table} AS t JOIN core.{entity} AS c "
        f"ON c.source = {source} AND c.{entity[:-1]}_id = t.{column} "
        "WHERE c.valid_to IS NULL AND c.customer_id IS NOT NULL"
        for table, entity, column, source in truth
    ]
    con.execute(
        f"CREATE TEMP TABLE known AS SELECT *, row_number() OVER () AS n FROM ({' UNION ALL '.join(records)})"
    )
    con.execute(_ASKED)
    mixed = con.execute(f"SELECT count(*) {_MIXED}").fetchall()[0][0]
    questions = con.execute("SELECT count(*) FROM asked WHERE one < other").fetchall()[0][0]
    return Score(mixed, *con.execute(_PAIRS).fetchall()[0], questions)


def largest_shares(con: duckdb.DuckDBPyConnection, people: str) -> list[float]:
    """Return of each of some people the share of the records that the largest of his or her customers has."""
    rows = con.execute(
        f"SELECT max(records) / sum(records) FROM (SELECT person_id, customer_id, count(*) AS records FROM known "
        f"SEMI JOIN ({people}) USING (person_id) GROUP BY ALL) GROUP BY person_id"
    ).fetchall()
    return [float(share) for (share,) in rows]
