"""Gather: collected requests become raw files; on schedule, those too whose messages were lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.landing.gather import gather, gather_left
from lakehouse.redelivery import redelivered
from lakehouse.settings import current
from lakehouse.telemetry import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@observed
@redelivered(lambda: current().collect_queue_url)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the requests of a batch of messages, or those that were left, to one raw file a source."""
    if "Records" not in event:
        return {"requests": gather_left(current(), datetime.now(UTC))}
    strange = gather(current(), event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in strange]}
