"""Which segments with times of their own are to be computed now, by what stands with the members that there are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import literal
from lakehouse.segments import schedule
from lakehouse.segments.schedule import Clock, Slots
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from lakehouse.tables.contracts import TRIGGERS

if TYPE_CHECKING:
    from collections.abc import Collection

    from lakehouse.segments.definition import Segments
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table

_WHEN: Final = ("trigger", "fired_at", "cancelled_at")
_SLOTS: Final = "slots"  # among the inputs of the members


def noted(slots: Slots) -> dict[str, str]:
    """Return slots as they stand among the inputs of the members."""
    return {_SLOTS: json.dumps(schedule.as_json(slots), sort_keys=True)}


def slots_in(members: Table | None) -> Slots:
    """Return what segments with times of their own were computed for, when the members that there are were."""
    inputs = commit.inputs(members) if members is not None else {}
    return schedule.from_json(json.loads(inputs.get(_SLOTS, "{}")))


def slots_now(
    settings: Settings, segments: Segments, members: Table | None, at: datetime
) -> tuple[Slots, list[str]]:
    """Return what those segments are to be computed for at a moment, and which of them are due."""
    before = slots_in(members)
    if not before and not any(segment.has_times for segment in segments.defined):
        return {}, []
    rules = {segment.trigger for segment in segments.defined if segment.trigger}
    fired = _fired(settings, rules) if rules else {}
    return schedule.next_slots(segments, before, Clock(settings.now_or_as_of(at), settings.zone, fired), at)


def _fired(settings: Settings, rules: Collection[str]) -> dict[str, str]:
    """Return by rule when a row of `marts.triggers` was made or lost its reason last."""
    table = catalogs.load(catalogs.open_catalog(settings), TRIGGERS.name)
    if table is None or table.current_snapshot() is None:
        return {}
    latest: dict[str, datetime] = {}
    # by pyiceberg: `tick` asks this every few minutes, and has no disk for what DuckDB may spill
    of_rules = f"trigger IN ({', '.join(map(literal, sorted(rules)))})"
    scan = table.scan(row_filter=of_rules, selected_fields=_WHEN)
    for batch in scan.to_arrow_batch_reader():
        for row in batch.to_pylist():
            for moment in filter(None, (row["fired_at"], row["cancelled_at"])):
                latest[row["trigger"]] = max(latest.get(row["trigger"], moment), moment)
    return {rule: moment.astimezone(UTC).isoformat() for rule, moment in latest.items()}
