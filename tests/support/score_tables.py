"""Tables that scores read, in DuckDB alone: columns as contracts have them, rows of real or planted customers."""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from lakehouse.engine import user_agents
from lakehouse.engine.escape import identifier, literal
from lakehouse.models import registry
from lakehouse.scores import features
from tests.support.model_cases import types_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import pyarrow as pa

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests/unit/scores/cdnow/CDNOW_sample.txt.gz"
MASTER = ROOT / "lakehouse/sample/purchases/CDNOW_master.txt.gz"


@contextmanager
def tables(**queries: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection with the inputs of scores; names have `__` for the dot.

    Each is what a query says, whose other columns are null; one that is not given is empty. What is counted of events
    is counted of `raw__events`.
    """
    given = {name.replace("__", "."): query for name, query in queries.items()}
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'; SET VARIABLE time_zone = 'UTC'")
        con.execute("CREATE SCHEMA raw; CREATE SCHEMA core")
        for name in dict.fromkeys((*features.INPUTS, "raw.events", "core.order_items", *given)):
            columns = ", ".join(f"{identifier(each)} {kind}" for each, kind in types_of(name).items())
            con.execute(f"CREATE TABLE {name} ({columns})")
            if name in given:
                con.execute(f"INSERT INTO {name} BY NAME {given[name]}")
        days = registry.shipped()["core.activity_days"].sql
        user_agents.create_for(con, days)
        con.execute(f"INSERT INTO core.activity_days BY NAME {days}")
        con.execute(features.EVENT_DAYS)
        yield con


def on(con: duckdb.DuckDBPyConnection, sql: str, cutoff: date, until: date | None = None) -> pa.Table:
    """Return the rows of one of the SELECTs of `features` as of a day."""
    con.execute("SET VARIABLE cutoff = CAST(? AS DATE)", [cutoff])
    con.execute("SET VARIABLE until = CAST(? AS DATE)", [until or cutoff])
    return con.execute(sql).to_arrow_table()


def cdnow(path: Path = MASTER) -> str:
    """Return the query of CDNOW's purchases as order values: the sample's rows, or those of all customers."""
    with gzip.open(path, "rt") as lines:
        split = [line.split() for line in lines]
    rows = [
        (row[0], row[-3], row[-1]) for row in split if row[-3].isdigit() and len(row[-3]) == len("19970101")
    ]
    values = ", ".join(f"({literal(who)}, {literal(day)}, {amount})" for who, day, amount in rows)
    return (
        "SELECT 'shop' AS source, CAST(row_number() OVER () AS VARCHAR) AS order_id, who AS customer_id, "
        "CAST(strptime(day, '%Y%m%d') AS DATE) AS ordered_on, amount AS gross, 0 AS discounts, true AS is_order "
        f"FROM (VALUES {values}) AS v(who, day, amount)"
    )
