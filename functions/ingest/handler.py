"""Raw files that were announced → rows of their raw tables."""

from __future__ import annotations

from typing import Any

from lakehouse.redelivery import redelivered
from lakehouse.settings import current
from lakehouse.stages.ingest import ingest_records
from lakehouse.telemetry import observed


@observed
@redelivered(lambda: current().ingest_queue_url)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch in, partial batch response out: only messages with a file that failed come again."""
    again = ingest_records(current(), event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message} for message in again]}
