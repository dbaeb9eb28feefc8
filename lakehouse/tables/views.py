"""Every table as a DuckDB view, pinned to the snapshot it had when the connection was made."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.catalog import NAMESPACES, load, table_names
from lakehouse.tables.data_files import duck_type
from lakehouse.tables.migrations.schema_diff import plan
from lakehouse.tables.policy import TableReadPolicy

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.types import NestedField

    from lakehouse.settings import Settings
    from lakehouse.tables.contract import Column, Contract

# Events are never rewritten when identities change: whom an event belongs to is looked up when it is read. An id such
# as `undefined` names nobody and no device; raw.events keeps it as it came.
EVENTS = """
CREATE OR REPLACE VIEW core.events AS
SELECT coalesce(by_user.customer_id, by_device.customer_id) AS customer_id,
  e.* REPLACE (person_id(e.user_id) AS user_id, person_id(e.anonymous_id) AS anonymous_id)
FROM raw.events AS e
LEFT JOIN core.identities AS by_user
  ON by_user.identifier_type = 'user_id' AND by_user.identifier_value = e.user_id
LEFT JOIN core.identities AS by_device
  ON by_device.identifier_type = 'anonymous_id' AND by_device.identifier_value = e.anonymous_id
"""


def attach(
    con: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    names: Iterable[str] | None = None,
    contracts: Iterable[Contract] = (),
) -> dict[str, Table]:
    """Create a view for each table (all of them by default) and return the tables by name.

    Tables that do not exist are left out. Those of `contracts` that lack columns of theirs are shown as if they had
    them: see `scan_as_sql`. `core.events` comes with `raw.events` and `core.identities`.
    """
    selected = sorted(set(names)) if names is not None else table_names(catalog)
    with ThreadPoolExecutor(TableReadPolicy.catalog_threads) as pool:
        loaded = list(pool.map(lambda name: load(catalog, name), selected))
    tables = {name: table for name, table in zip(selected, loaded, strict=True) if table is not None}
    for namespace in NAMESPACES:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(namespace)}")
    shapes = {contract.name: contract for contract in contracts}
    for name, table in tables.items():
        query = scan_as_sql(table, shapes[name]) if name in shapes else scan_sql(table)
        con.execute(f"CREATE OR REPLACE VIEW {qualified(name)} AS {query}")
    if {"raw.events", "core.identities"} <= tables.keys():
        con.execute(EVENTS)
    return tables


def scan(table: Table) -> str:
    """Return what a table with rows is read by; besides its columns there is `filename`, where it is asked for."""
    return f"iceberg_scan({literal(table.metadata_location)})"


def scan_with_files_sql(table: Table) -> str:
    """Return the SELECT that reads a table's current snapshot, with a column `filename`: the file of each row."""
    if table.current_snapshot() is not None:
        return f"SELECT *, filename FROM {scan(table)}"
    return f"SELECT *, CAST(NULL AS VARCHAR) AS filename FROM ({scan_sql(table)})"


def scan_sql(table: Table, snapshot_id: int | None = None) -> str:
    """Return the SELECT that reads a table's current snapshot, or one that it had before and still has."""
    if snapshot_id is not None:
        location = literal(table.metadata_location)
        return f"SELECT * FROM iceberg_scan({location}, snapshot_from_id = {snapshot_id})"
    if table.current_snapshot() is not None:
        return f"SELECT * FROM {scan(table)}"
    columns = (
        f"CAST(NULL AS {duck_type(field.field_type)}) AS {identifier(field.name)}"
        for field in table.schema().fields
    )
    return f"SELECT {', '.join(columns)} WHERE false"


def scan_as_sql(table: Table, contract: Contract, scan: str = "") -> str:
    """Return the SELECT that reads a table's current snapshot, as the table will be once it is migrated.

    `scan` is the SELECT to read in its stead, such as one of some of the table's files. A reader whose definitions are
    newer than the table so needs no right to change it: columns that the migration will add are null, and those that it
    will rename have their new names. Raises `Terminal` as the migration would, when table and contract contradict each
    other.
    """
    changes = plan(table.metadata, contract)
    scan = scan or scan_sql(table)
    if not changes.added and not changes.renames:
        return scan
    fields = {field.field_id: field for field in table.schema().fields}
    ids = contract.field_ids()
    cells = (_cell_sql(column, fields.get(ids[column.name])) for column in contract.columns)
    return f"SELECT {', '.join(cells)} FROM ({scan})"


def _cell_sql(column: Column, field: NestedField | None) -> str:
    """Return a contract's column as it is read from a table's field, or from a table that has none."""
    if field is None:
        return f"CAST(NULL AS {column.duck_type}) AS {identifier(column.name)}"
    value = identifier(field.name)
    if duck_type(field.field_type) != column.duck_type:
        value = f"CAST({value} AS {column.duck_type})"
    return f"{value} AS {identifier(column.name)}"


def nothing_sql(contract: Contract) -> str:
    """Return the SELECT of a contract's columns without a row, for a table that does not exist."""
    columns = (
        f"CAST(NULL AS {column.duck_type}) AS {identifier(column.name)}" for column in contract.columns
    )
    return f"SELECT {', '.join(columns)} WHERE false"


def open_tables(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    names: Iterable[str] | None = None,
    contracts: Iterable[Contract] = (),
) -> dict[str, Table]:
    """Attach the tables of the catalog that the settings name, as `attach` does."""
    return attach(con, catalogs.open_catalog(settings), names, contracts)
