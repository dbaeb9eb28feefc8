"""Debouncing: stages after ingest wait until no more input arrives.

What is computed from half a backlog would reach the CRM, and be taken back a minute later. A stage that waits sends
itself a later hint, so that no hint is ever lost.

A laptop's calls are threads of one process: there, a stage also waits while another call runs it, which would compute
the same and lose the race.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from lakehouse import aws, telemetry
from lakehouse.errors import CommitConflict
from lakehouse.settings import Settings
from lakehouse.stages.policy import DebouncePolicy

_under_way: Counter[str] = Counter()  # by name, how many calls of this process run a stage, or are about to
_counting = threading.Lock()


def when_quiet(
    stage: Callable[[Settings], object],
    settings: Settings,
    queue_url: str,
    event: dict[str, Any],
    *pending_before: Callable[[Settings], object],
    for_files: timedelta = DebouncePolicy.patience,
) -> bool:
    """Run a stage once for a batch of hints; return whether it ran.

    It is put off while raw files wait for ingest, for `for_files` at most, a stage before it has something to do
    (`pending_before` tell), or another call in this process runs it, for `DebouncePolicy.patience` at most; and when
    another run of it was first: there may be more to do than that run saw.
    """
    now = datetime.now(UTC)
    since = _waiting_since(event, now)
    waited = now - since
    with _counted(_name_of(stage)) as others:
        busy = waited < DebouncePolicy.patience and (
            others > 0 or any(pending(settings) for pending in pending_before)
        )
        if busy or (waited < for_files and has_messages(settings.ingest_queue_url)):
            _send_later_hint(settings, queue_url, since)
            return False
        try:
            stage(settings)
        except CommitConflict as error:
            telemetry.info("another run was first, looking again", reason=type(error).__name__)
            _send_later_hint(settings, queue_url, now)
            return False
    return True


def is_under_way(stage: str) -> bool:
    """Return whether a call in this process runs the stage of this name, or is about to."""
    return _under_way[stage] > 0


def _name_of(stage: Callable[[Settings], object]) -> str:
    return getattr(stage, "__name__", "")


@contextmanager
def _counted(stage: str) -> Iterator[int]:
    """Count a call of a stage as under way; yield how many others of this process are."""
    with _counting:
        others = _under_way[stage]
        _under_way[stage] += 1
    try:
        yield others
    finally:
        with _counting:
            _under_way[stage] -= 1


def _waiting_since(event: dict[str, Any], now: datetime) -> datetime:
    """Return since when the oldest hint of the batch has been put off."""
    starts = (_put_off_since(record["body"]) for record in event.get("Records", []))
    return min((now, *filter(None, starts)))  # one from the future was put off before the clock was set back


def _put_off_since(body: str) -> datetime | None:
    """Return since when a hint has waited; None for one that has not. Any message is a hint, whatever it says."""
    try:
        since = datetime.fromisoformat(json.loads(body)["waiting_since"])
    except (ValueError, KeyError, TypeError):
        return None
    return since if since.tzinfo else None


def has_messages(queue_url: str) -> bool:
    """Return whether a queue has messages, waiting or being worked on; without a queue there are none."""
    if not queue_url:
        return False
    counts = aws.sqs().get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return any(int(count) for count in counts.values())


def _send_later_hint(settings: Settings, queue_url: str, since: datetime) -> None:
    """Send a hint that comes after the settle time, and says since when the stage has waited."""
    body = json.dumps({"tick": True, "waiting_since": since.isoformat()})
    aws.sqs().send_message(QueueUrl=queue_url, MessageBody=body, DelaySeconds=settings.settle_seconds)
