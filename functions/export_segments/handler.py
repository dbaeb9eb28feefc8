"""Segments → members, changes, files, and chunks for the CRM."""

from __future__ import annotations

from typing import Any

from lakehouse.redelivery import redelivered
from lakehouse.settings import current
from lakehouse.stages import aggregate, consents
from lakehouse.stages.debounce import when_quiet
from lakehouse.stages.export import export
from lakehouse.telemetry import observed


@observed
@redelivered(lambda: current().export_queue_url)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch in: its messages are hints that all say the same, so the stage runs once for all of them."""
    when_quiet(export, current(), current().export_queue_url, event, consents.pending, aggregate.pending)
    return {"batchItemFailures": []}
