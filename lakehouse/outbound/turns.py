"""Chunks that one call of `publish` delivers at once: as many as the destination's rate can use.

A chunk waits for the store and for the destination far longer than it computes, so that one after another leaves a
high rate unused. A slow destination gets one chunk after another: a second one would only wait within its lease.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Final

from lakehouse.outbound.destinations.delivery import chunks_at_once
from lakehouse.outbound.policy import RequestPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lakehouse.outbound.destinations.definition import Rate

_TURNS: Final[dict[tuple[str, Rate | None], BoundedSemaphore]] = {}
_MAKING: Final = Lock()


@contextmanager
def turn(destination: str, rate: Rate | None) -> Iterator[timedelta]:
    """Wait for a turn at a destination of that name and rate; give how long that took, zero where there was one."""
    with _MAKING:
        turns = _TURNS.setdefault((destination, rate), BoundedSemaphore(chunks_at_once(rate)))
    began = time.monotonic()
    has_waited = not turns.acquire(blocking=False)
    if has_waited:
        turns.acquire()
    try:
        yield timedelta(seconds=time.monotonic() - began) if has_waited else timedelta()
    finally:
        turns.release()


@contextmanager
def begun(deliver: Callable[[str], None], bodies: Mapping[str, str]) -> Iterator[Callable[[str], None]]:
    """Begin to deliver messages, by their ids; give what waits for one of them and raises what it raised."""
    with ThreadPoolExecutor(RequestPolicy.most_at_once) as pool:
        each = {name: pool.submit(deliver, body) for name, body in bodies.items()}
        yield lambda name: each[name].result()
