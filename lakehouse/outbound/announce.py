"""Telling `publish` which chunks wait. A lost message is sent again, a repeated one does nothing."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse import aws, settings
from lakehouse.errors import Transient
from lakehouse.outbound import log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

    from lakehouse.outbound.records import Run

_BATCH = 10  # SQS's own limit
_LONGEST_DELAY = 900  # seconds; likewise


def announce(planned: Run, chunks: Mapping[str, int], now: datetime) -> None:
    """Send a message for each of the run's `chunks`, given with how often each has been claimed.

    The message of a chunk that somebody is sending comes when his claim ends, in case he does not live to
    write its outcome. Transient when the queue does not take them all.
    """
    names = list(chunks)
    for start in range(0, len(names), _BATCH):
        entries = [_entry(planned, name, chunks[name], now) for name in names[start : start + _BATCH]]
        answer = aws.sqs().send_message_batch(QueueUrl=settings.current().publish_queue_url, Entries=entries)
        if refused := answer.get("Failed"):
            codes = ", ".join(sorted({entry["Code"] for entry in refused}))
            raise Transient(f"the publish queue did not take {len(refused)} messages ({codes}); try again")


def _entry(planned: Run, name: str, claims: int, now: datetime) -> SendMessageBatchRequestEntryTypeDef:
    body: dict[str, Any] = {"sync": planned.sync, "run": planned.run, "chunk": name}
    held = log.read_claim(planned.sync, planned.run, name, claims)
    left = (datetime.fromisoformat(held.expires_at) - now).total_seconds() if held else 0.0
    delay = min(max(math.ceil(left), 0), _LONGEST_DELAY)
    return {"Id": name, "MessageBody": json.dumps(body), "DelaySeconds": delay}
