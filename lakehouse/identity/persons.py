"""What records say of their persons, ready to be compared: by it two records are known to be different people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.identity.clusters import cluster
from lakehouse.identity.normalise.persons import person_facts
from lakehouse.identity.policy import NormalisePolicy

if TYPE_CHECKING:
    import duckdb

    from lakehouse.identity.normalise.persons import PersonFacts
    from lakehouse.identity.relation import Relation
    from lakehouse.identity.ties import Cluster, Ints, Ties

_PERSON = ("name", "first_name", "last_name", "birth_date")


def clustering(con: duckdb.DuckDBPyConnection, described: Relation | None, records: int) -> Cluster:
    """Return the function that says which of so many records are one person by ties between them.

    `described` is what records say of their persons; `identity_records` numbers them.
    """
    facts = _facts(con, described) if described is not None else {}

    def persons(ties: Ties) -> Ints:
        return cluster(records, ties.left, ties.right, ties.weight, facts.get, ties.apart).labels

    return persons


def _facts(con: duckdb.DuckDBPyConnection, described: Relation) -> dict[int, PersonFacts]:
    """Return what records say of a name and a birth date, by the number of the record."""
    cells = (f"CAST({name} AS VARCHAR)" if name in described.columns else "NULL" for name in _PERSON)
    con.execute(
        f"SELECT r.record_id, {', '.join(cells)} FROM {described.sql} JOIN identity_records AS r USING (source, record)"
    )
    facts: dict[int, PersonFacts] = {}
    while batch := con.fetchmany(NormalisePolicy.fetch_rows):
        for record, *said in batch:
            if (found := person_facts(*said)) is not None:
                facts[record] = found
    return facts
