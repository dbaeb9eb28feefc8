"""Given small tables, what does a model's SQL say? In DuckDB alone, with the columns and types of the contracts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb

from lakehouse.engine.escape import identifier
from lakehouse.models import registry
from lakehouse.sources import definition, mapping_views
from lakehouse.tables import views
from lakehouse.tables.contracts import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.models.registry import Model

Row = dict[str, Any]
LATER = {"_loaded_at": "TIMESTAMPTZ", "_file_id": "VARCHAR", "_row": "BIGINT"}


@cache
def model_of(table: str) -> Model:
    """Return the shipped model of a table."""
    return next(model for model in registry.load() if model.table == table)


@cache
def types_of(name: str) -> dict[str, str]:
    """Return the columns of a table or of `mapped.<entity>`, with their DuckDB types."""
    namespace, _, entity = name.partition(".")
    if namespace == "mapped":
        return mapping_views.VIEWS[entity] | LATER
    contracts = BY_NAME | {source.table: source.contract for source in definition.load().values()}
    return {column.name: column.duck_type for column in contracts[name].columns}


STEPS = (
    "core.consents",
    "core.home_currency",
    "core.home_rates",
    "core.sales",
    "core.refunds",
    "core.order_values",
)  # computed on the way to a mart


def answer(
    table: str, as_of: str = "2026-03-01", time_zone: str = "UTC", **inputs: Iterable[Row]
) -> list[Row]:
    """Return the rows of a model by its key, given rows of its inputs; names have `__` for the dot.

    What a row does not say is null; an input that is not given is empty, but the models in between are computed.
    """
    model = model_of(table)
    rows = {name.replace("__", "."): given for name, given in inputs.items()}
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        for namespace in ("raw", "core", "marts", "mapped"):
            con.execute(f"CREATE SCHEMA {namespace}")
        con.execute("SET VARIABLE as_of = CAST(? AS DATE)", [as_of])
        con.execute("SET VARIABLE time_zone = ?", [time_zone])
        made: set[str] = set()
        for name in model.inputs:
            make(con, name, rows, made)
        assert rows.keys() <= made, f"{table} does not read {', '.join(rows.keys() - made)}"
        if {"raw.events", "core.identities"} <= set(model.inputs):
            con.execute(views.EVENTS)
        key = ", ".join(model.contract.key)
        result = con.execute(f"SELECT * FROM ({typed_sql(model)}) ORDER BY {key}")
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def make(con: duckdb.DuckDBPyConnection, name: str, rows: dict[str, Iterable[Row]], made: set[str]) -> None:
    """Make one input and note its name, and those of the inputs that it was computed from, in `made`."""
    if name in made:
        return
    if name in STEPS and name not in rows:
        model = model_of(name)
        for needed in model.inputs:
            make(con, needed, rows, made)
        con.execute(f"CREATE TABLE {name} AS {typed_sql(model)}")
    else:
        fill(con, name, rows.get(name, ()))
    made.add(name)


def typed_sql(model: Model) -> str:
    """Return a model's SELECT with the columns and types of its table."""
    cells = (
        f"CAST({identifier(name)} AS {kind}) AS {identifier(name)}"
        for name, kind in types_of(model.table).items()
    )
    return f"SELECT {', '.join(cells)} FROM ({model.sql})"


def fill(con: duckdb.DuckDBPyConnection, name: str, rows: Iterable[Row]) -> None:
    """Make a table with these rows."""
    types = types_of(name)
    con.execute(f"CREATE TABLE {name} ({', '.join(f'{identifier(n)} {kind}' for n, kind in types.items())})")
    for row in rows:
        assert row.keys() <= types.keys(), f"{name} has no {row.keys() - types.keys()}"
        columns, marks = ", ".join(map(identifier, row)), ", ".join("?" * len(row))
        con.execute(f"INSERT INTO {name} ({columns}) VALUES ({marks})", list(row.values()))


def column(rows: list[Row], name: str) -> list[Any]:
    """Return one column, in the order of the rows."""
    return [row[name] for row in rows]


def tied(**customers: str) -> list[Row]:
    """Return identities: `tied(hubspot_id__1="ann")` ties hubspot_id 1 to the customer ann."""
    return [
        {
            "identifier_type": name.rpartition("__")[0],
            "identifier_value": name.rpartition("__")[2],
            "customer_id": who,
        }
        for name, who in customers.items()
    ]
