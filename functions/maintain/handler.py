"""Snapshots that nobody needs any more go, with their files."""

from __future__ import annotations

from typing import Any

from lakehouse.settings import current
from lakehouse.stages.maintain import maintain
from lakehouse.telemetry import observed


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """On schedule."""
    return {"tables": maintain(current())}
