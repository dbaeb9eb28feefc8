"""The refill stage: a source's newly named columns get the values that older rows keep in `extra`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse import signals, telemetry
from lakehouse.definitions import nearest
from lakehouse.errors import Terminal
from lakehouse.ingest.refill.refill import refill
from lakehouse.progress import Progress, no_progress
from lakehouse.sources import definition
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source


def refill_source(
    settings: Settings,
    source_name: str,
    *,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Refill the table of the source `<source>/<entity>` and return what was done, as `Refilled` says.

    Raises Terminal for a name that no definition has, and what `refill` raises.
    """
    source = find_source(definition.load(settings.definitions), source_name)
    done = refill(settings, source, dry_run=dry_run, progress=progress)
    if done.commits:
        telemetry.info("refilled", table=source.table, rows=done.rows, files=done.files)
        head = commit.head(catalogs.load(catalogs.open_catalog(settings), source.table))
        signals.table_committed(settings, source.table, head)
    return done.as_json()


def find_source(sources: Mapping[tuple[str, str], Source], name: str) -> Source:
    """Return the definition of `<source>/<entity>`; Terminal names those whose names are near."""
    by_name = {"/".join(source_key): source for source_key, source in sources.items()}
    if name not in by_name:
        raise Terminal(f"no source {name}{nearest(name, list(by_name), definition.LISTED_BY)}")
    return by_name[name]


def list_sources(settings: Settings) -> list[dict[str, Any]]:
    """Return what every source is: source, entity, table, format, and columns with field id, type and origin.

    A column of which less is kept says what (`collect`); a dropped one has no field id.
    """
    return [describe_source(source) for source in definition.load(settings.definitions).values()]


def describe_source(source: Source) -> dict[str, Any]:
    """Return one source as `sources list --json` shows it."""
    field_ids = source.contract.field_ids()
    columns = []
    for column in source.columns:
        described: dict[str, Any] = {
            "id": field_ids.get(column.name),
            "name": column.name,
            "type": column.stored_type,
            "from": column.origin,
        }
        if column.collect:
            described["collect"] = column.collect.description
        columns.append(described)
    return {
        "source": source.source,
        "entity": source.entity,
        "table": source.table,
        "format": source.format,
        "columns": columns,
    }
