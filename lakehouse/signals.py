"""Hints between stages: a commit is announced on the event bus. With all hints lost, sweep and tick suffice."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws, telemetry
from lakehouse.settings import current

SOURCE = "lakehouse"
TABLE_COMMITTED = "TableCommitted"


def table_committed(table: str, snapshot_id: int | str) -> None:
    """Announce that a table has new rows. A hint that cannot be sent is logged and not missed."""
    entry = {
        "Source": SOURCE,
        "DetailType": TABLE_COMMITTED,
        "Detail": json.dumps({"table": table, "snapshot_id": str(snapshot_id)}),
        "EventBusName": current().event_bus,
    }
    try:
        aws.events().put_events(Entries=[entry])  # type: ignore[list-item]
    except (BotoCoreError, ClientError) as error:
        telemetry.failed("hint lost, tick will find it", error, table=table)


def send(queue_url: str, bodies: list[dict[str, Any]], *, group: str | None = None) -> int:
    """Put messages on a queue, ten a request; return how many were taken. `group` is for FIFO queues."""
    sent = 0
    for start in range(0, len(bodies), 10):
        entries: list[dict[str, Any]] = []
        for number, body in enumerate(bodies[start : start + 10]):
            entry: dict[str, Any] = {"Id": str(number), "MessageBody": json.dumps(body)}
            if group is not None:
                entry["MessageGroupId"] = group
            entries.append(entry)
        answer = aws.sqs().send_message_batch(QueueUrl=queue_url, Entries=entries)  # type: ignore[arg-type]
        sent += len(answer.get("Successful", []))
    return sent
