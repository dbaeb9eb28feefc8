"""A model in the simulated company: a table that is computed from another one, whole, and says from what.

It reads the newest orders, waits as long as a slow computation does, and replaces what it holds. Two of them work at
once, so that one wakes up late; and now and then somebody rolls the table back to an older snapshot.
"""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING

from pyarrow import parquet

from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.tables import appending, commit, data_files
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.commit import live_files
from lakehouse.tables.contract import Contract, columns

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from tests.simulation.run import Company

INPUT = "raw.shop_orders"
COPIES = Contract(
    "core.order_copies",
    "A copy of the orders",
    "one row an order",
    columns(("order_id", "string", "Order")),
    sort=("order_id",),
)


def compute(company: Company, waits: float) -> None:
    """Compute the copy if its input has moved; a slow run, which waits before it commits, may be refused."""
    catalog = company.scene.catalog
    table, orders = catalogs.ensure(catalog, COPIES), catalogs.load(catalog, INPUT)
    expected = {INPUT: commit.head(orders)}
    base = table.current_snapshot()
    if orders is None or not expected[INPUT] or commit.inputs(table) == expected:
        return
    with closing(duck.connect(company.scene.settings, iceberg=False)) as con:
        written = data_files.write(con, table, rows_sql(orders), f"model-{uuid.uuid4()}")
        company.world.sleep(waits)
        base_id = base.snapshot_id if base else None
        try:
            appending.replace_written(con, table, written, computed_from=expected, base=base_id)
        except CommitConflict:
            company.world.note(f"{COPIES.name} came late")
            raise
    company.world.note(f"{COPIES.name} computed")


def rows_sql(orders: Table) -> str:
    """Return the SELECT of the rows that the copy should have."""
    paths = [file.file_path for file in live_files(orders)]
    if not paths:
        return "SELECT NULL::VARCHAR AS order_id WHERE false"
    return f"SELECT order_id FROM ({data_files.read_sql(orders, paths)})"


def roll_back(company: Company) -> None:
    """Make an older snapshot of the copy the current one, as somebody does who mistrusts the newest rows."""
    table = company.scene.catalog.load_table(COPIES.name)
    older = [each for each in table.metadata.snapshots if each != table.current_snapshot()]
    if older:
        chosen = company.plan.choice(older)
        table.manage_snapshots().set_current_snapshot(snapshot_id=chosen.snapshot_id).commit()
        company.world.note(f"{COPIES.name} rolled back")


def wrong_copies(catalog: Catalog) -> list[str]:
    """Return what is wrong with the copy at rest: it has other rows than its input, or was computed from others."""
    table, orders = catalogs.load(catalog, COPIES.name), catalogs.load(catalog, INPUT)
    if table is None or orders is None or not commit.head(orders):
        return []
    rows = (sorted(_order_ids(each)) for each in (table, orders))
    if next(rows) != next(rows) or commit.inputs(table) != {INPUT: commit.head(orders)}:
        return ["the copy of the orders is not what the orders are"]
    return []


def _order_ids(table: Table) -> list[str]:
    names: list[str] = []
    for file in live_files(table):
        read = parquet.ParquetFile(file.file_path.removeprefix("file://")).read(columns=["order_id"])
        names += read.column("order_id").to_pylist()
    return names
