"""The refill stage: a source's newly named columns get the values that older rows keep in `extra`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lakehouse import signals, telemetry
from lakehouse.errors import Terminal
from lakehouse.ingest.refill.refill import refill
from lakehouse.sources import definition
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def refill_source(
    settings: Settings,
    place: str,
    *,
    dry_run: bool = False,
    on: Callable[[int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Refill the table of `<source>/<entity>` and return what was done, as `Refilled` says.

    Raises Terminal for a place that no definition names, and what `refill` raises.
    """
    sources = definition.load(settings.definitions)
    source = next((found for at, found in sources.items() if "/".join(at) == place), None)
    if source is None:
        raise Terminal(f"no source {place}; there are {', '.join('/'.join(at) for at in sources)}")
    done = refill(settings, source, dry_run=dry_run, on=on)
    if done.commits:
        telemetry.info("refilled", table=source.table, rows=done.rows, files=done.files)
        head = commit.head(catalogs.load(catalogs.open_catalog(settings), source.table))
        signals.table_committed(settings, source.table, head)
    return done.as_json()


def listed(settings: Settings) -> list[dict[str, Any]]:
    """Return what every source is: its place, table, format, and columns with field id, type and origin.

    A column of which less is kept says what (`collect`); a dropped one has no field id.
    """
    return [
        {
            "source": source.source,
            "entity": source.entity,
            "table": source.table,
            "format": source.format,
            "columns": [
                {
                    "id": ids.get(column.name),
                    "name": column.name,
                    "type": column.stored_type,
                    "from": column.origin,
                }
                | ({"collect": column.collect.description} if column.collect else {})
                for ids in [source.contract.field_ids()]
                for column in source.columns
            ],
        }
        for source in definition.load(settings.definitions).values()
    ]
