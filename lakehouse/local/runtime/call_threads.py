"""The threads that function calls run in, and waiting for them at the end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class CallThreads:
    """Starts a thread a call, and knows those that still run."""

    def __init__(self) -> None:
        self._running: set[threading.Thread] = set()

    def start(self, call: Callable[..., None], *arguments: Any) -> None:
        """Run `call(*arguments)` in a thread of its own, which does not keep the process alive."""

        def run() -> None:
            try:
                call(*arguments)
            finally:
                self._running.discard(threading.current_thread())

        thread = threading.Thread(target=run, daemon=True)
        self._running.add(thread)
        thread.start()

    def finish(self, deadline: float) -> None:
        """Wait for the calls under way, until `deadline` on the monotonic clock at most."""
        for thread in list(self._running):
            thread.join(max(0.0, deadline - time.monotonic()))
