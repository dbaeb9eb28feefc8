"""Tells `publish` which chunks wait, and `books` that some are done.

A lost message is sent again, a repeated one does nothing.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import signals, telemetry
from lakehouse.errors import Transient
from lakehouse.outbound import log
from lakehouse.signals import Message
from lakehouse.steady_clock import read_steady

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lakehouse.outbound.log import Claim
    from lakehouse.outbound.records import Run
    from lakehouse.settings import Settings
    from lakehouse.steady_clock import SteadyTime

LONGEST_DELAY_SECONDS: Final = 900  # SQS's own limit


def announce(settings: Settings, planned: Run, claims: Mapping[str, int], now: datetime) -> None:
    """Send a message for each of a run's chunks; `claims` says how often each has been claimed.

    The message of a chunk that a worker is sending comes when its claim ends, in case the worker does not live to
    write its outcome. Transient when the queue does not take them all.
    """
    messages = (_message(settings, planned, name, count, now) for name, count in claims.items())
    signals.send_messages(settings.publish_queue_url, messages)


def hint_books(settings: Settings) -> None:
    """Tell `books` that there are outcomes to copy. A hint that cannot be sent is logged, and no error."""
    if not settings.books_queue_url:
        return
    try:
        # It names no raw table, so that none is looked at; objects always are. A FIFO queue drops a body that it has
        # seen in the last five minutes.
        detail = {"table": "ops.deliveries", "hint": uuid4().hex}
        body = {"detail-type": signals.TABLE_COMMITTED, "detail": detail}
        signals.send(settings.books_queue_url, [body], group="books")
    except (Transient, BotoCoreError, ClientError) as error:
        telemetry.failed("hint lost, tick will find it", error, queue=settings.books_queue_url)


def _message(settings: Settings, planned: Run, chunk: str, claims: int, now: datetime) -> Message:
    claim = log.read_claim(settings, planned.sync, planned.run, chunk, claims)
    body = {"sync": planned.sync, "run": planned.run, "chunk": chunk}
    return Message(json.dumps(body), delay_seconds=delay_seconds(claim, now, read_steady(settings)))


def delay_seconds(claim: Claim | None, now: datetime, steady: SteadyTime) -> int:
    """Return after how many seconds a chunk is to be looked at again: when its latest claim ends, at most 900."""
    if claim is None:
        return 0
    return min(math.ceil(claim.remaining(now, steady).total_seconds()), LONGEST_DELAY_SECONDS)
