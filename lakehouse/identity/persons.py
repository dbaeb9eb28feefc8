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


class Described:
    """What records say of a name and a birth date, by the number of the record; read only of those that are asked for.

    Most records share nothing with another and are never compared.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, described: Relation | None) -> None:
        """Keep what `described` says of the records that `identity_records` numbers."""
        self._said: dict[int, tuple[str | None, ...]] = {}
        self._facts: dict[tuple[str | None, ...], PersonFacts | None] = {}
        if described is None:
            return
        cells = (
            f"CAST({name} AS VARCHAR)" if name in described.columns else "NULL::VARCHAR" for name in _PERSON
        )
        con.execute(
            f"SELECT r.record_id, {', '.join(cells)} FROM {described.sql} "
            "JOIN identity_records AS r USING (source, record)"
        )
        while batch := con.fetchmany(NormalisePolicy.fetch_rows):
            self._said.update((record, tuple(said)) for record, *said in batch)

    def facts(self, record: int) -> PersonFacts | None:
        """Return the facts of a record, None where it says nothing. Equal ones are one object."""
        said = self._said.get(record)
        if said is None:
            return None
        if said not in self._facts:
            self._facts[said] = person_facts(*said)
        return self._facts[said]


def clustering(described: Described, records: int) -> Cluster:
    """Return the function that says which of so many records are one person by ties between them."""

    def persons(ties: Ties) -> Ints:
        found = cluster(
            records, ties.left, ties.right, ties.weight, described.facts, ties.apart, undenied=ties.undenied
        )
        return found.labels

    return persons
