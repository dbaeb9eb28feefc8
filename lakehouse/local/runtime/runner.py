"""Runs a stack's functions on their events, in this process, with Lambda's semantics.

`sandbox` calls a function, `pollers` feed it from queues, `schedules` call it by the clock; none of them
knows what a function does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lakehouse.local.runtime.definitions_watch import DefinitionsWatch
from lakehouse.local.runtime.pollers import Poller
from lakehouse.local.runtime.sandbox import Invoker
from lakehouse.local.runtime.schedules import Scheduler

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lakehouse.local.runtime.sandbox import OnEvent
    from lakehouse.local.wiring.resources import Wiring


class Runner:
    """The functions of one stack: `start`, then they run by themselves until `stop`; `invoke` calls one.

    `queue_urls` by queue name; `memory` is the file that remembers when schedules ran last; `definitions` the folder of
    people's own.
    """

    def __init__(
        self,
        wiring: Wiring,
        queue_urls: Mapping[str, str],
        memory: Path,
        definitions: Path,
        on_event: OnEvent | None = None,
    ) -> None:
        self._invoker = Invoker(wiring.functions, on_event)
        self._pollers = [
            Poller(mapping, queue_urls[mapping.queue_name], self._invoker) for mapping in wiring.mappings
        ]
        watch = DefinitionsWatch(definitions)
        self._scheduler = Scheduler(
            wiring.schedules, queue_urls, self._invoker, memory, definitions_changed=watch.has_changed
        )

    def invoke(self, function: str, event: Any) -> Any:
        """Call `function` in this thread and return its answer; see `Invoker.invoke`."""
        return self._invoker.invoke(function, event)

    def start(self) -> None:
        """Run the schedules that are due, and poll the queues."""
        self._scheduler.start()
        for poller in self._pollers:
            poller.start()

    def stop(self, grace: float) -> int:
        """Begin nothing new, wait `grace` seconds for the calls under way; return how many still run then.

        What those have taken from a queue comes back after its visibility time-out, as on AWS.
        """
        self._invoker.stopping.set()
        deadline = time.monotonic() + grace
        self._scheduler.finish(deadline)
        for poller in self._pollers:
            poller.finish(deadline)
        return self._invoker.running()
