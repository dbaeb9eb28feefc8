"""Every stage is asked whether its inputs changed."""

from __future__ import annotations

from typing import Any

from lakehouse.settings import current
from lakehouse.stages.tick import tick
from lakehouse.telemetry import observed


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """On schedule."""
    return {"stages": tick(current())}
