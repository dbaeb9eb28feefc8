"""The columns that a condition names: of the customer's own row, and of the rows of other tables. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lakehouse.definitions import nearest
from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.segments.countable import EVENTS
from lakehouse.tables import contracts

if TYPE_CHECKING:
    from lakehouse.segments.known import Known

_IN_JSON: Final = re.compile(r"properties\.(.+)", re.DOTALL)
_INTEGERS: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER"})
_FLOATS: Final = frozenset({"FLOAT", "DOUBLE"})
_OWN_ROW: Final = ("customer_360", "rfm", "marts.customer_360", "marts.rfm")


class WhoError(ValueError):
    """What is wrong with a condition; `where` says in which, as `who.all.0`, for the line to be found."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where


@dataclass(frozen=True)
class Column:
    """A column as SQL, what kind its values are of, and how it is shown to people: personal values are hidden."""

    sql: str
    kind: str  # text, number, day, moment, yes or no, or DuckDB's name of another
    shown_sql: str


def find_column(name: str, known: Known, where: str) -> tuple[str | None, Column]:
    """Return the table of a field, None for the customer's own row, and its column."""
    table, _, column = name.lower().rpartition(".")
    try:
        if not table or table in _OWN_ROW:
            return None, _own_column(column, known)
        full = known.table(table)
        if full in _OWN_ROW:
            return None, _own_column(column, known)
        if "customer_id" not in known.tables[full]:
            raise WhoError(f"{full} has no customer_id: its rows are no customer's")
        return full, _column_of(full, column, known)
    except ValueError as error:
        raise WhoError(str(error), f"{where}.field") from None


def _own_column(name: str, known: Known) -> Column:
    by_name = {each.lower(): (each, kind) for each, kind in known.columns.items()}
    if name not in by_name:
        raise WhoError(f"there is no field {name}{nearest(name, sorted(by_name))}")
    column, kind = by_name[name]
    return Column(identifier(column), _kind(kind), identifier(column))


def _column_of(table: str, name: str, known: Known) -> Column:
    """Return a column of a table's row, which goes by `t`; of events also a property, as `properties.plan`."""
    if table == EVENTS and (found := _IN_JSON.fullmatch(name)):
        return Column(f"json_extract_string(t.properties, {literal(_json_path(found[1]))})", "text", "'…'")
    columns = {each.lower(): (each, kind) for each, kind in known.tables[table].items()}
    if name.lower() not in columns:
        raise WhoError(f"{table} has no column {name}{nearest(name.lower(), sorted(columns))}")
    column, kind = columns[name.lower()]
    sql = f"t.{identifier(column)}"
    contract = contracts.BY_NAME.get(table)
    personal = contract is not None and any(each.pii for each in contract.columns if each.name == column)
    return Column(sql, _kind(kind), f"CASE WHEN {sql} IS NOT NULL THEN '…' END" if personal else sql)


def row_column(table: str, name: str, known: Known, where: str) -> Column:
    """Return a column of the rows of a table, which go by `t`; WhoError names the nearest for one that is not there."""
    try:
        return _column_of(table, name, known)
    except ValueError as error:
        raise WhoError(str(error), where) from None


def _json_path(name: str) -> str:
    return "$." + ".".join('"' + part.replace('"', '\\"') + '"' for part in name.split("."))


def _kind(duck_type: str) -> str:
    name = duck_type.partition("(")[0]
    if name in _INTEGERS or name == "DECIMAL":
        return "number"
    if name in _FLOATS:
        return "float"
    named = {"VARCHAR": "text", "DATE": "day", "BOOLEAN": "yes or no", "VARCHAR[]": "list"}
    return named.get(duck_type, "moment" if name.startswith("TIMESTAMP") else duck_type)


def rows_sql(table: str) -> str:
    """Return the SQL that reads a table's rows by the name `t`."""
    return f"{qualified(table)} AS t"
