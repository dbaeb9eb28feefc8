"""Tells `publish` which chunks wait. A lost message is sent again, a repeated one does nothing."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, Final

from lakehouse import signals
from lakehouse.outbound import log
from lakehouse.signals import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.outbound.log import Claim
    from lakehouse.outbound.records import Run
    from lakehouse.settings import Settings

LONGEST_DELAY_SECONDS: Final = 900  # SQS's own limit


def announce(settings: Settings, planned: Run, claims: Mapping[str, int], now: datetime) -> None:
    """Send a message for each of a run's chunks; `claims` says how often each has been claimed.

    The message of a chunk that a worker is sending comes when its claim ends, in case the worker does not live to
    write its outcome. Transient when the queue does not take them all.
    """
    messages = (_message(settings, planned, name, count, now) for name, count in claims.items())
    signals.send_messages(settings.publish_queue_url, messages)


def _message(settings: Settings, planned: Run, chunk: str, claims: int, now: datetime) -> Message:
    claim = log.read_claim(settings, planned.sync, planned.run, chunk, claims)
    body = {"sync": planned.sync, "run": planned.run, "chunk": chunk}
    return Message(json.dumps(body), delay_seconds=delay_seconds(claim, now))


def delay_seconds(claim: Claim | None, now: datetime) -> int:
    """Return after how many seconds a chunk is to be looked at again: when its latest claim ends, at most 900."""
    if claim is None:
        return 0
    remaining = (datetime.fromisoformat(claim.expires_at) - now).total_seconds()
    return min(max(math.ceil(remaining), 0), LONGEST_DELAY_SECONDS)
