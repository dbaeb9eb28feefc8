"""How everything stands: what was received and what became of it, the tables, the deliveries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from lakehouse.books import balance
from lakehouse.outbound import delivery_counts as outbound
from lakehouse.tables import catalog as catalogs

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def status(settings: Settings) -> dict[str, Any]:
    """Return the whole state as JSON: `ingest`, `tables` and `deliveries`, in the shape of docs/status.md."""
    catalog = catalogs.open_catalog(settings)
    names = catalogs.table_names(catalog)
    with ThreadPoolExecutor(8) as pool:
        deliveries = pool.submit(outbound.status, settings)
        found = dict(zip(names, pool.map(lambda name: catalogs.load(catalog, name), names), strict=True))
        tables = {name: table for name, table in found.items() if table is not None}
        counted = balance.ingested(settings, tables)
        return {
            "ingest": counted.as_json(),
            "tables": {name: balance.describe(table) for name, table in tables.items()},
            "deliveries": deliveries.result(),
        }
