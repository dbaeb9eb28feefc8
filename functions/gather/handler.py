"""Gather: requests that wait on the queue become raw files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.landing.gather import gather
from lakehouse.redelivery import redelivered
from lakehouse.settings import current
from lakehouse.telemetry import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@observed
@redelivered(lambda: current().collect_queue_url)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the requests of a batch of messages to one raw file a source."""
    strange = gather(current(), event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in strange]}
