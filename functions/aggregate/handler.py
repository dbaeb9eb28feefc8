"""Models whose inputs changed → core and marts."""

from __future__ import annotations

from typing import Any

from lakehouse.redelivery import redelivered
from lakehouse.settings import current
from lakehouse.stages import consents
from lakehouse.stages.aggregate import aggregate
from lakehouse.stages.debounce import when_quiet
from lakehouse.telemetry import observed


@observed
@redelivered(lambda: current().aggregate_queue_url)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch in: its messages are hints that all say the same, so the stage runs once for all of them."""
    when_quiet(aggregate, current(), current().aggregate_queue_url, event, consents.pending)
    return {"batchItemFailures": []}
