"""The maintain stage: expiry on every table."""

from __future__ import annotations

from dataclasses import asdict

from lakehouse import telemetry
from lakehouse.settings import Settings
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import maintenance


def maintain(settings: Settings) -> dict[str, dict[str, int]]:
    """Expire what may go; return what went, by table. A table that fails does not stop the others."""
    catalog = catalogs.open_catalog(settings)
    removed: dict[str, dict[str, int]] = {}
    for name in catalogs.table_names(catalog):
        try:
            table = catalog.load_table(name)
            removed[name] = asdict(maintenance.expire(catalog, table))
        except Exception as error:  # noqa: BLE001 - told; the next run tries again
            telemetry.failed("maintenance failed", error, table=name)
    return removed
