"""What a sync of causes asks for: its triggers, its segments, records that are one person, and whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.definitions import nearest
from lakehouse.engine.escape import literal
from lakehouse.models.triggers import definition as triggers
from lakehouse.outbound.record_kinds import RECORD_ID
from lakehouse.segments import causes
from lakehouse.segments.causes import BEHIND_COLUMNS, Asking
from lakehouse.stages import sync_ids
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from lakehouse.tables.contracts import TRIGGERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from lakehouse.outbound.definition import Sync
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table


def asking_of(sync: Sync, id_types: Sequence[str] = ()) -> Asking:
    """Return which causes a sync asks for; `id_types`: which types of ids (`sync_ids.types_of`)."""
    return Asking(
        sync.purpose,
        sync.channel,
        caused_by=() if sync.duplicates else sync.segments,
        segments=sync.asked_segments,
        triggers=sync.triggers,
        duplicates=sync.duplicates,
        per_record=sync.id.property == RECORD_ID,
        owners=sync.owner.source if sync.owner is not None else sync.duplicates or "hubspot",
        behind=bool(sync.columns & BEHIND_COLUMNS),
        id_types=tuple(id_types),
    )


def cause_rows(settings: Settings, sync: Sync, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a row for each cause of a sync that stands; raises as `audience`."""
    return causes.causes(settings, asking_of(sync, sync_ids.types_of(settings, sync)), now)


def inputs_of(settings: Settings, sync: Sync, now: datetime) -> dict[str, str]:
    """Return the state of what its causes are made of, beside that of every audience; empty of a sync of customers.

    A cause ends by time alone, too: which of them have, is a part of it.
    """
    if not sync.is_by_cause:
        return {}
    catalog = catalogs.open_catalog(settings)
    tables = {name: catalogs.load(catalog, name) for name in causes.inputs_of(asking_of(sync))}
    found = {name: commit.head(table) for name, table in tables.items()}
    table = tables.get(TRIGGERS.name)
    if table is not None and sync.triggers:
        found["triggers until"] = _last_end(table, sync.triggers, settings.now_or_as_of(now))
    return found


def _last_end(table: Table, rules: Collection[str], now: datetime) -> str:
    """Return when a row of these triggers ended last; "" where none has.

    By pyiceberg: `tick` asks this every few minutes, and has no disk for what DuckDB may spill.
    """
    if table.current_snapshot() is None:
        return ""
    listed = ", ".join(map(literal, sorted(rules)))
    ended = f"trigger IN ({listed}) AND expires_at <= '{now.isoformat()}'"
    scan = table.scan(row_filter=ended, selected_fields=("expires_at",))
    moments = [row["expires_at"] for batch in scan.to_arrow_batch_reader() for row in batch.to_pylist()]
    return max(moments).isoformat() if moments else ""


def unknown_trigger(settings: Settings, sync: Sync) -> str:
    """Return what is wrong with the triggers that a sync names; "" where nothing is."""
    if not sync.triggers:
        return ""
    rules = triggers.load(settings.definitions)
    for name in sync.triggers:
        if name not in rules.defined and name not in rules.wrong:
            return f"triggers: there is no trigger {name}{nearest(name, sorted(rules.defined))}"
    return ""
