"""Identifiers of all sources → who is who."""

from __future__ import annotations

from typing import Any

from lakehouse.settings import current
from lakehouse.stages.debounce import when_quiet
from lakehouse.stages.resolve import resolve
from lakehouse.telemetry import observed


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch in: its messages are hints that all say the same, so the stage runs once for all of them."""
    when_quiet(resolve, current(), current().resolve_queue_url, event)
    return {"batchItemFailures": []}
