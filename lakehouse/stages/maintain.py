"""The maintain stage: rewrite, merge, expire and remove orphans, table by table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from lakehouse import telemetry
from lakehouse.errors import LakehouseError, Terminal
from lakehouse.progress import Progress, no_progress
from lakehouse.settings import Settings
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.maintenance import run
from lakehouse.tables.maintenance.expire import watermarks
from lakehouse.tables.maintenance.policy import MaintenancePolicy

if TYPE_CHECKING:
    from lakehouse.tables.catalog import Catalog, Table

DEFAULT = MaintenancePolicy()


def maintain(
    settings: Settings,
    *,
    only: str | None = None,
    dry_run: bool = False,
    policy: MaintenancePolicy = DEFAULT,
    now: datetime | None = None,
    progress: Progress = no_progress,
) -> dict[str, dict[str, Any]]:
    """Maintain every table, or the one named; return what was done and why, by table.

    A table that fails does not stop the others: its entry is `{"failed": reason}`. `progress` hears of each table,
    and of the bytes that its rewrite has read. Raises Terminal when there is no table of the name `only`.
    """
    catalog = catalogs.open_catalog(settings)
    names = catalogs.table_names(catalog)
    if only is not None and only not in names:
        raise Terminal(f"no table {only}; there are {', '.join(names) or 'none yet'}")
    tables, reports = _load(catalog, names)
    readers = watermarks(tables.values())
    locations = {name: table.location() for name, table in tables.items()}
    for name, table in tables.items():
        if only is not None and only != name:
            continue
        neighbours = [location for other, location in locations.items() if other != name]
        context = run.MaintenanceContext(readers.get(name, {}), neighbours, now)
        progress(name, 0, 1)
        if dry_run:
            step = partial(run.look, catalog, table, policy, context)
        else:
            step = partial(run.maintain, settings, catalog, table, policy, context, progress)
        reports[name] = _report(name, step)
    return reports if only is None else {only: reports[only]}


def _report(name: str, step: Callable[[], run.Report]) -> dict[str, Any]:
    try:
        return step().as_json()
    except Exception as error:  # noqa: BLE001 - reported; the next run tries again
        return _failure(name, error)


def _load(catalog: Catalog, names: list[str]) -> tuple[dict[str, Table], dict[str, dict[str, Any]]]:
    """Return the tables, and a report for each that cannot be loaded."""
    tables: dict[str, Table] = {}
    failures: dict[str, dict[str, Any]] = {}
    for name in names:
        try:
            tables[name] = catalog.load_table(name)
        except Exception as error:  # noqa: BLE001 - reported; the next run tries again
            failures[name] = _failure(name, error)
    return tables, failures


def _failure(name: str, error: Exception) -> dict[str, Any]:
    """Log an error and return its report; of others' errors only the kind, since their messages may quote rows."""
    telemetry.failed("maintenance failed", error, table=name)
    return {"failed": str(error) if isinstance(error, LakehouseError) else type(error).__name__}
