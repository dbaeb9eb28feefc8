"""The maintain stage: rewrite, merge, expire and remove orphans, table by table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse import telemetry
from lakehouse.errors import LakehouseError, Terminal
from lakehouse.settings import Settings
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.maintenance import run
from lakehouse.tables.maintenance.expire import watermarks
from lakehouse.tables.maintenance.table_plan import Policy

if TYPE_CHECKING:
    from lakehouse.tables.catalog import Catalog, Table

DEFAULT = Policy()


def maintain(
    settings: Settings,
    *,
    only: str | None = None,
    dry_run: bool = False,
    policy: Policy = DEFAULT,
    now: datetime | None = None,
    on: Callable[[str, int, int], None] = lambda *_: None,
) -> dict[str, dict[str, Any]]:
    """Maintain every table, or the one named; return what was found and done by table.

    A table that fails does not stop the others: its entry is `{"failed": why}`. `on(table, bytes, of)` hears how far a
    table's rewrite is. Raises Terminal when there is no table of the name given.
    """
    catalog = catalogs.open_catalog(settings)
    names = catalogs.table_names(catalog)
    if only is not None and only not in names:
        raise Terminal(f"no table {only}; there are {', '.join(names) or 'none yet'}")
    tables, reports = _load(catalog, names)
    readers = watermarks(tables.values())
    for name in names if only is None else [only]:
        table = tables.pop(name, None)
        if table is None:
            continue
        places = [other.location() for other in tables.values()]
        around = run.Surroundings(readers.get(name, {}), places, now)
        on(name, 0, 1)
        try:
            if dry_run:
                report = run.look(catalog, table, policy, around)
            else:
                report = run.maintain(
                    settings, catalog, table, policy, around, lambda *far, name=name: on(name, *far)
                )
            reports[name] = report.as_json()
        except Exception as error:  # noqa: BLE001 - told; the next run tries again
            reports[name] = _failed(name, error)
        tables[name] = table
    return reports if only is None else {only: reports[only]}


def _load(catalog: Catalog, names: list[str]) -> tuple[dict[str, Table], dict[str, dict[str, Any]]]:
    """Load the tables; what cannot be loaded has failed."""
    tables: dict[str, Table] = {}
    failed: dict[str, dict[str, Any]] = {}
    for name in names:
        try:
            tables[name] = catalog.load_table(name)
        except Exception as error:  # noqa: BLE001 - told; the next run tries again
            failed[name] = _failed(name, error)
    return tables, failed


def _failed(name: str, error: Exception) -> dict[str, Any]:
    telemetry.failed("maintenance failed", error, table=name)
    return {"failed": str(error) if isinstance(error, LakehouseError) else type(error).__name__}
