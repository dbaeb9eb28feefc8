"""Messages that a function leaves in its queue come back in minutes, later each time.

A queue hides a message for six times the function's time-out, as Lambda asks for: an hour and a half for a stage. That
is right while the function may still be at work, and too long once it has said that it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws, error_text, telemetry
from lakehouse.aws_policy import RESEND_MESSAGES, RedeliveryPolicy
from lakehouse.batching import batches
from lakehouse.errors import Terminal, Transient
from lakehouse.retrying import resend_rejected

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef

    Entries = Sequence[ChangeMessageVisibilityBatchRequestEntryTypeDef]

Answer = dict[str, Any]
Handler = Callable[[Any, Any], Any]

_REQUEST_MESSAGES: Final = 10  # all that SQS takes in one request


def redelivered(queue_url: Callable[[], str]) -> Callable[[Handler], Handler]:
    """Decorate the handler of a queue: what it does not get done comes back after `wait_seconds`.

    Those are the messages that it names in `batchItemFailures`, and the whole batch when it raises. A `Transient` is
    answered with the whole batch as failed: it is expected, and no error of the function. After a `Terminal` the
    messages stay hidden as long as their queue says: to come back soon never helps.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def call(event: Any, context: Any) -> Any:
            records = event.get("Records", [])
            try:
                answer = handler(event, context)
            except Transient as error:
                telemetry.failed("tried again later", error, reason=error_text.safe_text(error))
                answer = {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in records]}
            except Terminal:
                raise
            except Exception:
                come_back(queue_url(), records)
                raise
            come_back(queue_url(), _left(answer, records))
            return answer

        return call

    return decorate


def wait_seconds(received: int) -> int:
    """Return after how long a message comes back that was received so many times."""
    doubled: int = RedeliveryPolicy.first_wait_seconds * 2 ** (max(received, 1) - 1)
    return min(doubled, RedeliveryPolicy.longest_wait_seconds)


def come_back(queue_url: str, records: Sequence[dict[str, Any]]) -> None:
    """Have messages shown again after a wait, each by how often it was received.

    What SQS does not take is logged: those come back as their queue says.
    """
    for batch in batches(records if queue_url else (), count=_REQUEST_MESSAGES):
        entries = [_entry(str(number), record) for number, record in enumerate(batch)]
        try:
            left = resend_rejected(lambda waiting: _change(queue_url, waiting), entries, RESEND_MESSAGES)
        except (BotoCoreError, ClientError) as error:
            telemetry.failed("messages come back as late as their queue says", error, count=len(entries))
        else:
            if left:
                telemetry.warn("messages come back as late as their queue says", count=len(left))


def _left(answer: Any, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records that an answer leaves in the queue."""
    failures = (answer or {}).get("batchItemFailures", ())
    named = {failure["itemIdentifier"] for failure in failures}
    return [record for record in records if record["messageId"] in named]


def _entry(name: str, record: dict[str, Any]) -> ChangeMessageVisibilityBatchRequestEntryTypeDef:
    received = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    return {
        "Id": name,
        "ReceiptHandle": record.get("receiptHandle", ""),
        "VisibilityTimeout": wait_seconds(received),
    }


def _change(queue_url: str, entries: Entries) -> Entries:
    """Change the visibility of messages; return the entries that SQS did not take."""
    answer = aws.sqs().change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
    rejected = {failure["Id"] for failure in answer.get("Failed", [])}
    return [entry for entry in entries if entry["Id"] in rejected]
