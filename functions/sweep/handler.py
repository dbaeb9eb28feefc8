"""Raw files that no event announced are announced."""

from __future__ import annotations

from typing import Any

from lakehouse.settings import current
from lakehouse.stages.sweep import sweep
from lakehouse.telemetry import observed


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """On schedule."""
    return {"files": sweep(current())}
