"""Publish: each message names one chunk of an outbound run; deliver it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from lakehouse.outbound import turns
from lakehouse.outbound.announce import hint_books
from lakehouse.outbound.deliver import deliver_message
from lakehouse.redelivery import redelivered
from lakehouse.settings import current
from lakehouse.telemetry import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def deliver_body(body: str) -> None:
    """Deliver the chunk of one message."""
    deliver_message(current(), json.loads(body), datetime.now(UTC))


@observed
@redelivered(lambda: current().publish_queue_url)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Deliver a batch of messages, some at once; those that failed go back to the queue."""
    bodies = {record["messageId"]: record["body"] for record in event.get("Records", [])}
    with turns.begun(deliver_body, bodies) as wait_for:
        failures = process_partial_response(
            event, lambda record: wait_for(record.message_id), processor, context
        )
    hint_books(current())
    return failures
