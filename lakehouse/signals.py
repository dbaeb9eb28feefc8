"""Hints between stages: a commit is announced on the event bus, messages are put on queues.

With all hints lost, sweep and tick suffice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws, telemetry
from lakehouse.aws_policy import RESEND_MESSAGES
from lakehouse.batching import Limit, batches
from lakehouse.errors import Transient
from lakehouse.retrying import resend_rejected

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

    from lakehouse.settings import Settings

SOURCE = "lakehouse"
TABLE_COMMITTED = "TableCommitted"
_REQUEST_MESSAGES: Final = 10  # all that SQS takes in one request
_REQUEST_BYTES: Final = 256 * 1024  # likewise; until 2025, more since


@dataclass(frozen=True, slots=True)
class Message:
    """A message for a queue; `body` is ASCII.

    It is shown after `delay_seconds` (0 to 900; None: as the queue's own setting says). `group` is for FIFO queues.
    """

    body: str
    delay_seconds: int | None = None
    group: str | None = None


def table_committed(settings: Settings, table: str, snapshot_id: int | str) -> None:
    """Announce that a table has new rows. A hint that cannot be sent is logged, and no error: tick finds the rows."""
    entry = {
        "Source": SOURCE,
        "DetailType": TABLE_COMMITTED,
        "Detail": json.dumps({"table": table, "snapshot_id": str(snapshot_id)}),
        "EventBusName": settings.event_bus,
    }
    try:
        answer = aws.events().put_events(Entries=[entry])  # type: ignore[list-item]
    except (BotoCoreError, ClientError) as error:
        telemetry.failed("hint lost, tick will find it", error, table=table)
        return
    if answer["FailedEntryCount"]:
        code = answer["Entries"][0].get("ErrorCode", "")
        telemetry.warn("hint lost, tick will find it", table=table, code=code)


def committed_tables(event: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the tables that a batch of hints names; None where one of them names none: any may have new rows."""
    tables = [_committed_table(record["body"]) for record in event.get("Records", [])]
    if not tables or None in tables:
        return None
    return frozenset(table for table in tables if table is not None)


def announces(event: Mapping[str, Any], table: str) -> bool:
    """Return whether one of a batch of hints says that a table has new rows."""
    return any(_committed_table(record["body"]) == table for record in event.get("Records", []))


def _committed_table(body: str) -> str | None:
    """Return the table that a message announces; None where it is another kind of hint."""
    try:
        message = json.loads(body)
        table = message["detail"]["table"] if message["detail-type"] == TABLE_COMMITTED else None
    except (ValueError, KeyError, TypeError):
        return None
    return table if isinstance(table, str) else None


def send(queue_url: str, bodies: Iterable[dict[str, Any]], *, group: str | None = None) -> int:
    """Put messages on a queue, their bodies as JSON; return how many. Errors are those of `send_messages`."""
    return send_messages(queue_url, (Message(json.dumps(body), group=group) for body in bodies))


def send_messages(queue_url: str, messages: Iterable[Message]) -> int:
    """Put messages on a queue, as many a request as SQS takes; return how many.

    Raises `Transient` when the queue does not take some of them, however often it is asked.
    """
    sent = 0
    for request in batches(messages, Limit(_bytes, _REQUEST_BYTES), count=_REQUEST_MESSAGES):
        entries = [_entry(str(number), message) for number, message in enumerate(request)]
        rejected, codes = _send_request(queue_url, entries)
        sent += len(entries) - len(rejected)
        if rejected:
            raise Transient(
                f"queue {queue_url} did not take {len(rejected)} messages ({', '.join(codes)}); "
                f"{sent} of those before are on it"
            )
    return sent


def _send_request(
    queue_url: str, entries: Sequence[SendMessageBatchRequestEntryTypeDef]
) -> tuple[Sequence[SendMessageBatchRequestEntryTypeDef], list[str]]:
    """Send the entries of one request; return those that SQS did not take in the end, and its codes for why."""
    codes: dict[str, str] = {}

    def send_entries(
        waiting: Sequence[SendMessageBatchRequestEntryTypeDef],
    ) -> Sequence[SendMessageBatchRequestEntryTypeDef]:
        answer = aws.sqs().send_message_batch(QueueUrl=queue_url, Entries=waiting)
        codes.clear()
        codes.update((failure["Id"], failure["Code"]) for failure in answer.get("Failed", []))
        return [entry for entry in waiting if entry["Id"] in codes]

    rejected = resend_rejected(send_entries, entries, RESEND_MESSAGES)
    return rejected, sorted(set(codes.values()))


def _entry(name: str, message: Message) -> SendMessageBatchRequestEntryTypeDef:
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": name, "MessageBody": message.body}
    if message.delay_seconds is not None:
        entry["DelaySeconds"] = message.delay_seconds
    if message.group is not None:
        entry["MessageGroupId"] = message.group
    return entry


def _bytes(message: Message) -> int:
    return len(message.body)  # ASCII: a character is a byte
