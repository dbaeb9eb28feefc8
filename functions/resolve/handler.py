"""Identifiers of all sources → who is who; statements of all sources → who may be contacted."""

from __future__ import annotations

from typing import Any

from lakehouse.redelivery import redelivered
from lakehouse.settings import current
from lakehouse.stages.consents import resolve_and_refresh
from lakehouse.telemetry import observed


@observed
@redelivered(lambda: current().resolve_queue_url)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch in: its messages are hints that all say the same, so the stage runs once for all of them."""
    resolve_and_refresh(current(), current().resolve_queue_url, event)
    return {"batchItemFailures": []}
