"""Hints between stages: a commit is announced on the event bus. With all hints lost, sweep and tick suffice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws, telemetry
from lakehouse.errors import Transient
from lakehouse.settings import current

SOURCE = "lakehouse"
TABLE_COMMITTED = "TableCommitted"
_MESSAGES, _BYTES = 10, 256 * 1024  # of one request: all that SQS takes, or took until 2025
_TRIES = 3


def table_committed(table: str, snapshot_id: int | str) -> None:
    """Announce that a table has new rows. A hint that cannot be sent is logged and not missed."""
    entry = {
        "Source": SOURCE,
        "DetailType": TABLE_COMMITTED,
        "Detail": json.dumps({"table": table, "snapshot_id": str(snapshot_id)}),
        "EventBusName": current().event_bus,
    }
    try:
        answer = aws.events().put_events(Entries=[entry])  # type: ignore[list-item]
    except (BotoCoreError, ClientError) as error:
        telemetry.failed("hint lost, tick will find it", error, table=table)
        return
    if answer["FailedEntryCount"]:
        code = answer["Entries"][0].get("ErrorCode", "")
        telemetry.warn("hint lost, tick will find it", table=table, code=code)


def send(queue_url: str, bodies: Iterable[dict[str, Any]], *, group: str | None = None) -> int:
    """Put messages on a queue, many a request; return how many. `group` is for FIFO queues.

    Raises `Transient` when the queue does not take some of them, however often it is asked.
    """
    sent = 0
    for request in _requests(bodies):
        entries: list[dict[str, Any]] = [
            {"Id": str(n), "MessageBody": body} for n, body in enumerate(request)
        ]
        for entry in entries if group is not None else ():
            entry["MessageGroupId"] = group
        for _ in range(_TRIES):
            answer = aws.sqs().send_message_batch(QueueUrl=queue_url, Entries=entries)  # type: ignore[arg-type]
            refused = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
            sent += len(entries) - len(refused)
            entries = [entry for entry in entries if entry["Id"] in refused]
            if not entries:
                break
        else:
            codes = ", ".join(sorted(set(refused.values())))
            raise Transient(
                f"queue {queue_url} did not take {len(refused)} messages ({codes}); {sent} of those before are on it"
            )
    return sent


def _requests(bodies: Iterable[dict[str, Any]]) -> Iterator[list[str]]:
    """Cut messages into what one request takes."""
    request: list[str] = []
    size = 0
    for body in bodies:
        text = json.dumps(body)  # in ASCII: a character is a byte
        if request and (len(request) == _MESSAGES or size + len(text) > _BYTES):
            yield request
            request, size = [], 0
        request.append(text)
        size += len(text)
    if request:
        yield request
