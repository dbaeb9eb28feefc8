"""Stages after ingest wait until it is quiet.

What is computed from half a backlog would reach the CRM, and be taken back a minute later. A stage that waits sends
itself a later hint, so that no hint is ever consumed in vain.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from lakehouse import aws, telemetry
from lakehouse.errors import CommitConflict
from lakehouse.settings import Settings

PATIENCE = timedelta(minutes=5)


def when_quiet(
    stage: Callable[[Settings], object],
    settings: Settings,
    queue_url: str,
    event: dict[str, Any],
    *before: Callable[[Settings], object],
) -> bool:
    """Run a stage once for a batch of hints; return whether it ran.

    It is put off while raw files wait for ingest or a stage `before` it has something to do, for five minutes at
    most; and when another run of it was first, since there may be more to do than that run saw.
    """
    now = datetime.now(UTC)
    since = _waiting_since(event, now)
    busy = _busy(settings.ingest_queue_url) or any(pending(settings) for pending in before)
    if busy and now - since < PATIENCE:
        _later(settings, queue_url, since)
        return False
    try:
        stage(settings)
    except CommitConflict as error:
        telemetry.info("another run was first, looking again", reason=type(error).__name__)
        _later(settings, queue_url, now)
        return False
    return True


def _waiting_since(event: dict[str, Any], now: datetime) -> datetime:
    """Return since when the oldest hint of the batch has been put off."""
    put_off = (_put_off(record["body"]) for record in event.get("Records", []))
    return min((since for since in put_off if since is not None), default=now)


def _put_off(body: str) -> datetime | None:
    """Return since when a hint has waited. Whatever else a message says, it is a hint all the same."""
    try:
        since = datetime.fromisoformat(json.loads(body)["waiting_since"])
    except (ValueError, KeyError, TypeError):
        return None
    return since if since.tzinfo else None


def _busy(queue_url: str) -> bool:
    if not queue_url:
        return False
    found = aws.sqs().get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return any(int(count) for count in found.values())


def _later(settings: Settings, queue_url: str, since: datetime) -> None:
    body = json.dumps({"tick": True, "waiting_since": since.isoformat()})
    aws.sqs().send_message(QueueUrl=queue_url, MessageBody=body, DelaySeconds=settings.settle_seconds)
