"""Access to DuckDB: relations that callers made, by name, and this package's own SQL files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.engine.escape import qualified
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

_SQL = Path(__file__).with_name("sql")


class Relation:
    """A table or view that a caller made: `sql` is its escaped name, `columns` are the names of its columns."""

    def __init__(self, con: duckdb.DuckDBPyConnection, name: str, needed: Iterable[str]) -> None:
        """Look the relation up; `Terminal` if it is not there or lacks one of the `needed` columns."""
        from duckdb import CatalogException  # noqa: PLC0415 - whoever passes a connection has paid for it

        self.sql = qualified(name)
        try:
            self.columns = {str(row[0]) for row in con.execute(f"DESCRIBE FROM {self.sql}").fetchall()}
        except CatalogException as error:
            raise Terminal(f"resolve: there is no relation {name!r} on this connection") from error
        if missing := sorted(set(needed) - self.columns):
            raise Terminal(f"resolve: relation {name!r} lacks the columns {', '.join(missing)}")


def run(
    con: duckdb.DuckDBPyConnection,
    step: str,
    bound: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
) -> None:
    """Run `sql/<step>.sql`: `bound` values are bound, `names` (escaped SQL) replace the text's `{name}`s."""
    con.execute(sql_text(_SQL / f"{step}.sql", names or {}), dict(bound or {}))


def sql_text(path: Path, names: Mapping[str, str]) -> str:
    """Return the text of a SQL file; `names` (escaped SQL) replace its `{name}`s."""
    text = path.read_text(encoding="utf-8")
    for name, escaped in names.items():
        text = text.replace(f"{{{name}}}", escaped)
    return text


def create_table(con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Any]) -> None:
    """Create the temp table `table` from columns (numpy or Arrow arrays of one length)."""
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    con.register("identity_columns", pa.table(dict(columns)))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM identity_columns")
    con.unregister("identity_columns")


def scalar(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return the whole number that a query has as its only value; 0 for none."""
    row = con.execute(query).fetchone()
    return int(row[0] or 0) if row else 0
