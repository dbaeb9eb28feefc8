"""Calls in threads, and how long their end is waited for."""

from __future__ import annotations

import threading
import time

from lakehouse.local.runtime.call_threads import CallThreads


def test_calls_under_way_are_waited_for_until_the_deadline() -> None:
    """Those that ended are not, and one that takes longer is left running."""
    calls, done, gate = CallThreads(), [], threading.Event()
    calls.start(done.append, 1)
    calls.finish(time.monotonic() + 5)
    assert done == [1]
    calls.start(gate.wait)
    began = time.monotonic()
    calls.finish(began)
    assert time.monotonic() - began < 1
    gate.set()
    calls.finish(time.monotonic() + 5)
    assert not calls._running
