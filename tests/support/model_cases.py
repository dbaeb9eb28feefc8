"""Given small tables, what does a model's SQL say? In DuckDB alone, with the columns and types of the contracts."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import duckdb

from lakehouse.engine import sql_functions
from lakehouse.engine.keyed_hash import INNER, HashKey
from lakehouse.models import registry
from lakehouse.models.given_rows import GivenRows, fill_table
from lakehouse.sources import definition

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lakehouse.models.model import Model
    from lakehouse.privacy.address_hash import AddressHasher

Row = dict[str, Any]


@cache
def model_of(table: str) -> Model:
    """Return the shipped model of a table."""
    return registry.load().by_table[table]


def types_of(name: str) -> dict[str, str]:
    """Return the columns of a table or of `mapped.<entity>`, with their DuckDB types."""
    return _lake()[1].types_of(name)


def own_model(folder: Path, table: str, select: str = "", swap: tuple[str, str] = ("", "")) -> int:
    """Write a model of one's own into a definitions folder, in place of a shipped one, with its header.

    Its SELECT is `select`, or the shipped one with a text swapped for another. Returns how many lines the header has.
    """
    namespace, _, name = table.partition(".")
    shipped = (files("lakehouse.models") / "sql" / namespace / f"{name}.sql").read_text("utf-8")
    header, end, body = shipped.partition("*/\n")
    path = folder / "models" / namespace / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{header}{end}{select or body.replace(*swap)}", "utf-8")
    return header.count("\n") + 1


def fill(con: duckdb.DuckDBPyConnection, name: str, rows: Iterable[Row]) -> None:
    """Make a table with these rows, on a connection of one's own."""
    fill_table(con, name, types_of(name), rows)


def answer(
    table: str, as_of: str = "2026-03-01", time_zone: str = "UTC", **inputs: Iterable[Row]
) -> list[Row]:
    """Return the rows of a model by its key, given rows of its inputs; names have `__` for the dot.

    What a row does not say is null; an input that is not given is empty, but models that read given rows are computed.
    """
    return answer_of_filled(table, "", as_of, time_zone, **inputs)


def answer_of_filled(
    table: str, filling: str, as_of: str = "2026-03-01", time_zone: str = "UTC", **inputs: Iterable[Row]
) -> list[Row]:
    """Return what `answer` does, once a statement has filled the inputs with more rows."""
    model = model_of(table)
    con, lake = _lake()
    given = {name.replace("__", "."): rows for name, rows in inputs.items()}
    lake.make_inputs(model, given, date.fromisoformat(as_of), time_zone)
    if filling:
        con.execute(filling)
    key = ", ".join(model.contract.key)
    result = con.execute(f"SELECT * FROM ({lake.rows_sql(model)}) ORDER BY {key}")
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def let_hash(hasher: AddressHasher | None) -> None:
    """Let models tell who was erased, or let them no more."""
    con, _ = _lake()
    if hasher is None:
        con.execute(f"RESET VARIABLE {INNER}")
    else:
        HashKey.prepare(hasher.key).set_on(con)


@cache
def _lake() -> tuple[duckdb.DuckDBPyConnection, GivenRows]:
    con = duckdb.connect()
    con.execute("SET ieee_floating_point_ops = false")
    sql_functions.create(con)
    return con, GivenRows(con, registry.load(), definition.load().values())


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
