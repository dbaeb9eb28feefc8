"""Snapshots that nobody needs any more go, with their files; and raw files whose days are over."""

from __future__ import annotations

from typing import Any

from lakehouse.settings import current
from lakehouse.stages.expire_raw import expire_raw_files
from lakehouse.stages.maintain import maintain
from lakehouse.telemetry import observed


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """On schedule."""
    return {"tables": maintain(current()), "raw_files": expire_raw_files(current())}
