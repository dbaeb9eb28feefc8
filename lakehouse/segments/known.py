"""What a segment may ask: the columns of a customer's row, those of tables in place, the day and the zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lakehouse.definitions import nearest
from lakehouse.engine.escape import qualified
from lakehouse.segments.countable import EVENTS
from lakehouse.sources import definition as sources
from lakehouse.sources.read_contracts import completed, read_contracts
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import contracts, views

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table
    from lakehouse.tables.contract import Contract

NAMESPACES: Final = ("core", "marts")
CUSTOMERS_SQL: Final = (
    "SELECT c.*, r.* EXCLUDE (customer_id, as_of, recency_days) "
    "FROM marts.customer_360 AS c LEFT JOIN marts.rfm AS r USING (customer_id)"
)
_BEHIND_EVENTS: Final = ("core.identities", "raw.events")
_OF_CUSTOMER: Final = ("marts.customer_360", "marts.rfm")


@dataclass(frozen=True)
class Known:
    """`columns` are those of a customer's row with their types, `tables` those of each table of core and marts.

    `as_of` is the day that the marts look back from, None while they hold nobody.
    """

    columns: Mapping[str, str]
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    as_of: date | None = None
    zone: str = "UTC"

    def table(self, name: str) -> str:
        """Return the full name of a table of core or marts; ValueError names the nearest for one that is not there."""
        wanted = name.lower()
        full = [wanted] if "." in wanted else [f"{namespace}.{wanted}" for namespace in ("marts", "core")]
        found = next((each for each in full if each in self.tables), None)
        if found is None:
            known = sorted({*self.tables, *_contracted()})
            raise ValueError(f"there is no table {name}, or nothing has filled it{nearest(full[-1], known)}")
        return found


def known_of(con: duckdb.DuckDBPyConnection) -> Known:
    """Return what there is to ask on a connection with the marts in place."""
    described = con.execute(f"SELECT column_name, column_type FROM (DESCRIBE {CUSTOMERS_SQL})").fetchall()
    tables: dict[str, dict[str, str]] = {}
    rows = con.execute(
        "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name IN ('core', 'marts') ORDER BY ALL"
    ).fetchall()
    for table, column, kind in rows:
        tables.setdefault(table, {})[column] = kind
    found = con.execute(
        "SELECT max(as_of), coalesce(getvariable('time_zone'), 'UTC') FROM marts.customer_360"
    ).fetchone()
    as_of, zone = found or (None, "UTC")
    return Known(dict(described), tables, as_of, zone)


def set_zone(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Let days be those of the business."""
    con.execute("SET VARIABLE time_zone = ?", [settings.time_zone])


def tables_behind(names: Iterable[str]) -> tuple[str, ...]:
    """Return the tables that have to be in place for these, besides those that customers' rows are made of."""
    asked = {name for name in names if name not in _OF_CUSTOMER}
    if EVENTS in asked:
        asked = asked - {EVENTS} | set(_BEHIND_EVENTS)
    return tuple(sorted(asked))


def show_tables(
    con: duckdb.DuckDBPyConnection, settings: Settings, names: Iterable[str], there: dict[str, Table]
) -> None:
    """Show further tables on a connection, and add those that exist to the ones that are `there`.

    One that nobody has filled yet, and that has a contract here, has no rows. Those that models of other rooms fill
    have none here: asking one is an error until it is filled.
    """
    wanted = [name for name in tables_behind(names) if name not in there]
    if not wanted:
        return
    known = _contracted()
    lacking: list[Contract] = []
    if "raw.events" in wanted:
        defined = sources.load(settings.definitions).values()
        known |= read_contracts(defined)
        lacking = completed(defined)
    there |= views.attach(con, catalogs.open_catalog(settings), wanted, lacking)
    for name in wanted:
        if name not in there and name in known:
            con.execute(f"CREATE OR REPLACE VIEW {qualified(name)} AS {views.nothing_sql(known[name])}")
    if {"raw.events", "core.identities"}.issubset({*there, *known}) and "raw.events" in wanted:
        con.execute(views.EVENTS)


def _contracted() -> dict[str, Contract]:
    return {name: each for name, each in contracts.BY_NAME.items() if name.partition(".")[0] in NAMESPACES}
