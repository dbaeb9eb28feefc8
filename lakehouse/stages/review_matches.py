"""Pairs of records that look like one person and wait for somebody's word: what each says, and why they look alike."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.engine.escape import identifier
from lakehouse.sources import evidence_views
from lakehouse.sources.person_fields import PERSON_FIELDS

if TYPE_CHECKING:
    import duckdb

# Of two customers one pair, the heaviest: one word decides for both. A record that no identifier names cannot be
# spoken of.
_PAIRS = """
    WITH named AS (
        SELECT source, record, any_value(identifier_type) AS type, any_value(identifier_value) AS value
        FROM core.evidence WHERE own AND identifier_value IS NOT NULL AND until IS NULL GROUP BY ALL
    ),
    customers AS (
        SELECT n.*, i.customer_id FROM named AS n
        LEFT JOIN core.identities AS i ON i.identifier_type = n.type AND i.identifier_value = n.value
    )
    SELECT
        l.source, l.record, l.type, l.value, l.customer_id, r.source, r.record, r.type, r.value, r.customer_id,
        m.weight_bits, m.standing, m.explanation
    FROM core.matches AS m
    JOIN customers AS l ON l.source = m.left_source AND l.record = m.left_record
    JOIN customers AS r ON r.source = m.right_source AND r.record = m.right_record
    WHERE m.standing = $standing
    QUALIFY $standing = 'tied' OR row_number() OVER (
        PARTITION BY least(l.customer_id, r.customer_id), greatest(l.customer_id, r.customer_id)
        ORDER BY m.weight_bits DESC, l.source, l.record, r.source, r.record
    ) = 1
    ORDER BY m.weight_bits DESC, l.source, l.record, r.source, r.record
    LIMIT $limit
"""


@dataclass(frozen=True)
class Side:
    """One record of a pair. `name` is what `identity tie` takes; `says` is what it says of its person, by field."""

    source: str
    record: str
    name: str
    customer_id: str | None
    says: dict[str, str]


@dataclass(frozen=True)
class Reason:
    """What one comparison adds to the weight, in bits."""

    comparison: str
    level: str
    bits: float


@dataclass(frozen=True)
class Pair:
    """Two records, how heavy the evidence is that they are one person, in bits, and what came of it."""

    left: Side
    right: Side
    weight_bits: float
    standing: str
    reasons: list[Reason]

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that `identity review --json` uses."""
        return asdict(self)


def pairs(con: duckdb.DuckDBPyConnection, standing: str, limit: int) -> list[Pair]:
    """Return the pairs of one standing, the heaviest first. `con` has all tables in place."""
    rows = con.execute(_PAIRS, {"standing": standing, "limit": limit}).fetchall()
    says = _says(con, {record for row in rows for record in (row[0:2], row[5:7])})
    return [
        Pair(_side(row[:5], says), _side(row[5:10], says), row[10], row[11], reasons_of(row[12]))
        for row in rows
    ]


def _side(row: tuple[Any, ...], says: dict[tuple[str, str], dict[str, str]]) -> Side:
    source, record, kind, value, customer_id = row
    return Side(source, record, f"{kind}:{value}", customer_id, says.get((source, record), {}))


def reasons_of(explanation: str) -> list[Reason]:
    """Return the parts of a weight, the heaviest first, from the JSON that `core.matches` has."""
    parts = json.loads(explanation)
    return [Reason(part["comparison"], part["level"], round(part["bits"], 1)) for part in parts]


def _says(
    con: duckdb.DuckDBPyConnection, records: set[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, str]]:
    """Return what records say of their persons, and the addresses that they carry now."""
    if not records:
        return {}
    con.execute("CREATE OR REPLACE TEMP TABLE reviewed (source VARCHAR, record VARCHAR)")
    con.executemany("INSERT INTO reviewed VALUES (?, ?)", sorted(records))
    fields = list(PERSON_FIELDS)
    cells = ", ".join(f"{identifier(name)}::VARCHAR" for name in fields)
    said_of = evidence_views.people_sql("(FROM core.observations SEMI JOIN reviewed USING (source, record))")
    said: dict[tuple[str, str], dict[str, str]] = {}
    for source, record, *values in con.execute(f"SELECT source, record, {cells} FROM ({said_of})").fetchall():
        said[source, record] = {name: value for name, value in zip(fields, values, strict=True) if value}
    addresses = con.execute(
        "SELECT source, record, slot, identifier_value FROM core.evidence SEMI JOIN reviewed USING (source, record) "
        "WHERE identifier_type IN ('phone', 'email') AND until IS NULL AND identifier_value IS NOT NULL ORDER BY ALL"
    ).fetchall()
    for source, record, slot, value in addresses:
        said.setdefault((source, record), {})[slot] = value
    return said
