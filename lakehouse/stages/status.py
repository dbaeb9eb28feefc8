"""The state of everything: what was received and what became of it, the tables, the deliveries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from lakehouse.books import balance
from lakehouse.outbound import delivery_counts as outbound
from lakehouse.stages.dismiss import count_dismissed
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.policy import TableReadPolicy

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def status(settings: Settings) -> dict[str, Any]:
    """Return the whole state as JSON: `ingest`, `tables` and `deliveries`, in the shape of docs/status.md."""
    catalog = catalogs.open_catalog(settings)
    names = catalogs.table_names(catalog)
    with ThreadPoolExecutor(TableReadPolicy.catalog_threads) as pool:
        deliveries = pool.submit(outbound.status, settings)
        loaded = list(pool.map(lambda name: catalogs.load(catalog, name), names))
        tables = {name: table for name, table in zip(names, loaded, strict=True) if table is not None}
        ingested = balance.ingested(settings, tables)
        return {
            "ingest": ingested.as_json() | {"dismissed": count_dismissed(settings)},
            "tables": {name: balance.describe(table) for name, table in tables.items()},
            "deliveries": deliveries.result(),
        }
