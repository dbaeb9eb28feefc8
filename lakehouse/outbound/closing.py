"""Closes a run before all its chunks are done, so that what is news waits for no upsert that cannot be sent.

First nobody may begin a chunk of it any more, then those who are at it are waited for, and then it is written down what
the others count as: not sent, or uncertain. Repeating it does no harm.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lakehouse import telemetry
from lakehouse.outbound import log
from lakehouse.outbound.log import Closed
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.steady_clock import read_steady

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lakehouse.outbound.records import Run
    from lakehouse.settings import Settings

_LOOK_SECONDS: Final = 0.5


def close(settings: Settings, run: Run, now: datetime) -> bool:
    """Close a run; return whether it is, which it is not while somebody is sending a chunk of it."""
    log.begin_closing(settings, run, now)
    deadline = time.monotonic() + DeliveryPolicy.closing_seconds
    waiting = log.open_chunks(settings, run)
    while _is_being_sent(settings, run, waiting, now):
        if time.monotonic() >= deadline:
            telemetry.info("a run is closed when its workers are done", sync=run.sync, run=run.run)
            return False
        time.sleep(_LOOK_SECONDS)
        waiting = log.open_chunks(settings, run)
    if waiting:
        log.write_closed(settings, run, _closed(settings, run, waiting, now))
        telemetry.info("a run was closed for news", sync=run.sync, run=run.run, count=len(waiting))
    return True


def _is_being_sent(settings: Settings, run: Run, waiting: Mapping[str, int], now: datetime) -> bool:
    steady = read_steady(settings)
    claims = (
        log.read_claim(settings, run.sync, run.run, name, count) for name, count in waiting.items() if count
    )
    return any(claim is not None and claim.lives(now, steady) for claim in claims)


def _closed(settings: Settings, run: Run, waiting: Mapping[str, int], now: datetime) -> Closed:
    uncertain = [
        name for name, claims in waiting.items() if log.may_be_sent(settings, run.sync, run.run, name, claims)
    ]
    return Closed(now.isoformat(), [name for name in waiting if name not in set(uncertain)], uncertain)
