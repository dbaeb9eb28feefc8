"""Schedules as EventBridge runs them, for a stack that is up for an hour now and then.

The short ones (`sweep`, `tick`, `books`) run when the stack starts, sweep and tick before the others, since
they make up for what was lost while it was down. The long ones (`maintain`) run one rate after they were
first seen, also across restarts: a file remembers when each ran last.

A scheduled function is invoked asynchronously: a call that fails is tried twice again, a minute and then two
minutes later.
"""

from __future__ import annotations

import heapq
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from lakehouse import aws, telemetry
from lakehouse.local.runtime.logs import reason
from lakehouse.local.services.processes import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lakehouse.local.runtime.sandbox import Invoker
    from lakehouse.local.wiring.resources import Schedule

_SOON_S = 3600  # a schedule with a shorter rate runs when the stack starts
_FIRST = ("sweep", "tick")
_RETRY_AFTER_S = (60.0, 120.0)


def first_runs(
    schedules: Sequence[Schedule], ran: Mapping[str, float], now: float
) -> list[tuple[float, Schedule]]:
    """Return each schedule with the moment (epoch seconds) of its first run, the most urgent first."""
    runs = []
    for schedule in schedules:
        soon = schedule.rate_seconds < _SOON_S
        runs.append(
            (now if soon else max(now, ran.get(schedule.name, now) + schedule.rate_seconds), schedule)
        )
    rank = {name: n for n, name in enumerate(_FIRST)}
    return sorted(runs, key=lambda run: (run[0], rank.get(run[1].function or "", len(rank)), run[1].name))


class Scheduler:
    """Runs schedules and retries in one thread that starts a thread a call."""

    def __init__(
        self,
        schedules: Sequence[Schedule],
        queue_urls: Mapping[str, str],
        invoker: Invoker,
        memory: Path,
        retry_after_s: Sequence[float] = _RETRY_AFTER_S,
    ) -> None:
        self._schedules = schedules
        self._queue_urls = queue_urls
        self._invoker = invoker
        self._memory = memory
        self._retry_after_s = retry_after_s
        self._ran: dict[str, float] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()  # equal moments run in the order they were set
        self._lock = threading.Lock()
        self._calls: set[threading.Thread] = set()

    def start(self) -> None:
        """Set the first runs and begin."""
        now = time.time()
        ran = _read(self._memory)
        self._ran = {s.name: ran.get(s.name, now) for s in self._schedules}
        for moment, schedule in first_runs(self._schedules, ran, now):
            self._at(moment, lambda s=schedule: self._run(s))  # type: ignore[misc]
        threading.Thread(target=self._loop, name="schedules", daemon=True).start()

    def finish(self, deadline: float) -> None:
        """Wait for the calls under way, until `deadline` on the monotonic clock at most."""
        for call in list(self._calls):
            call.join(max(0.0, deadline - time.monotonic()))

    def _loop(self) -> None:
        while True:
            self._invoker.tell_overruns()
            while (action := self._next()) is not None:
                action()
            if self._invoker.stopping.wait(0.5):
                return

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._due and self._due[0][0] <= time.time():
                return heapq.heappop(self._due)[2]
        return None

    def _at(self, moment: float, action: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._due, (moment, next(self._numbers), action))

    def _run(self, schedule: Schedule) -> None:
        now = time.time()
        self._at(now + schedule.rate_seconds, lambda: self._run(schedule))
        self._ran[schedule.name] = now
        write_private(self._memory, self._ran)
        if schedule.function is not None:
            self._invoke(schedule.function, json.loads(schedule.input or "{}"), 0)
        if schedule.queue_name is not None:
            self._send(schedule)

    def _send(self, schedule: Schedule) -> None:
        url = self._queue_urls[str(schedule.queue_name)]
        try:
            if schedule.message_group_id is None:
                aws.sqs().send_message(QueueUrl=url, MessageBody=schedule.input)
            else:
                group = schedule.message_group_id
                aws.sqs().send_message(QueueUrl=url, MessageBody=schedule.input, MessageGroupId=group)
        except Exception as error:  # noqa: BLE001 - the next run of the schedule comes anyway
            telemetry.failed("a scheduled message was not sent", error, queue=url)

    def _invoke(self, function: str, event: Any, attempt: int) -> None:
        def call() -> None:
            began = time.monotonic()
            failures = 0
            try:
                self._invoker.invoke(function, event)
            except Exception as error:  # noqa: BLE001 - whatever the handler raised: the call failed
                failures = 1
                what, why = "a scheduled call failed", reason(error)
                telemetry.failed(what, error, function=function, attempt=attempt + 1, reason=why)
                if attempt < len(self._retry_after_s):
                    again = time.time() + self._retry_after_s[attempt]
                    self._at(again, lambda: self._invoke(function, event, attempt + 1))
            finally:
                self._calls.discard(threading.current_thread())
            self._invoker.on_event(function, 1, time.monotonic() - began, failures)

        thread = threading.Thread(target=call, daemon=True)
        self._calls.add(thread)
        thread.start()


def _read(memory: Path) -> dict[str, float]:
    try:
        return {str(name): float(moment) for name, moment in json.loads(memory.read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError):  # never written, or cut off: nothing ran yet
        return {}
