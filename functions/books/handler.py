"""What commits and objects say → the system's own books."""

from __future__ import annotations

from typing import Any

from lakehouse import signals
from lakehouse.redelivery import redelivered
from lakehouse.settings import current
from lakehouse.stages.books import keep_books
from lakehouse.telemetry import observed


@observed
@redelivered(lambda: current().books_queue_url)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch in: its messages are hints, so the stage runs once for all of them, over the tables they name."""
    keep_books(current(), signals.committed_tables(event))
    return {"batchItemFailures": []}
