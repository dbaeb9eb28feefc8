"""Rules over events and marts → whom to do something for."""

from __future__ import annotations

from typing import Any

from lakehouse import telemetry
from lakehouse.errors import CommitConflict
from lakehouse.settings import current
from lakehouse.stages.fire_triggers import fire
from lakehouse.telemetry import observed


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """On schedule, each minute; who loses a race leaves it to the next."""
    try:
        outcome = fire(current())
    except CommitConflict as error:
        telemetry.info("another look was first", reason=type(error).__name__)
        return {"fired": 0, "cancelled": 0}
    return {"fired": outcome.fired, "cancelled": outcome.cancelled}
