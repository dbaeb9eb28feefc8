"""Observations of identifiers for tests, and what `resolve` makes of them on a connection."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import duckdb
import pyarrow as pa

from lakehouse.identity import Resolution, resolve

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = datetime(2025, 1, 1, tzinfo=UTC)


class Seen(NamedTuple):
    """One observation; `day` counts from 2025-01-01. A record's first names it; each value has a slot of its own."""

    record: str
    type: str
    value: str | None
    day: int = 0
    source: str = "hubspot"
    region: str | None = None


def observe(con: duckdb.DuckDBPyConnection, *seen: Seen) -> None:
    first = {(s.source, s.record): (s.type, s.value) for s in reversed(seen)}
    moments = pa.array([DAY + timedelta(days=s.day) for s in seen], pa.timestamp("us", "UTC"))
    table = pa.table(
        {
            "record": [s.record for s in seen],
            "source": [s.source for s in seen],
            "type": [s.type for s in seen],
            "value": pa.array([s.value for s in seen], pa.string()),
            "region": pa.array([s.region for s in seen], pa.string()),
            "slot": [f"{s.type} {s.value}" for s in seen],
            "own": pa.array([first[s.source, s.record] == (s.type, s.value) for s in seen], pa.bool_()),
            "every": pa.array([s.type == "anonymous_id" for s in seen], pa.bool_()),
            "alias": pa.array([False for _ in seen], pa.bool_()),
            "said_at": moments,
            "loaded_at": moments,
            "file_id": pa.array(["f" for _ in seen], pa.string()),
            "row": pa.array(range(len(seen)), pa.int64()),
        }
    )
    con.register("handed", table)
    con.execute("CREATE OR REPLACE TABLE observations AS FROM handed")
    con.unregister("handed")


def settle(con: duckdb.DuckDBPyConnection, *seen: Seen, max_records: int = 10) -> Resolution:
    """Resolve these observations on top of what was resolved before on this connection, and commit."""
    observe(con, *seen)
    known = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'identities'").fetchone()
    resolution = resolve(
        con,
        observations="observations",
        previous="identities" if known else None,
        now=NOW,
        max_records=max_records,
    )
    con.execute("CREATE OR REPLACE TABLE identities AS FROM identities_new")
    return resolution


def customers(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(con.execute("SELECT identifier_value, customer_id FROM identities_new").fetchall())


def changes(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None]]:
    return con.execute("SELECT change, customer_id, into_customer_id FROM identity_changes").fetchall()


def rules(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(con.execute("SELECT identifier_value, rule FROM identities_new").fetchall())


ANN = (
    Seen("1", "hubspot_id", "101"),
    Seen("1", "email", "Ann@Example.com "),
    Seen("1", "phone", "138 0000 1110"),
)
ANN_SALES = (
    Seen("s1", "salesforce_id", "003A", 3, "salesforce"),
    Seen("s1", "email", "ann@example.com", 3, "salesforce"),
)
BOB = (Seen("2", "hubspot_id", "102", 1), Seen("2", "email", "bob@example.com", 1))
