"""Schedules as EventBridge runs them, for a stack that is up for an hour now and then.

The short ones (`sweep`, `tick`, `books`) run when the stack starts, sweep and tick before the others, since
they make up for what was lost while it was down. The long ones (`maintain`) run one rate after they were
first seen, also across restarts: a file remembers when each ran last. While the stack runs, time is measured by a
clock that nobody can set.

A change of people's definitions runs `tick` at once: it asks every stage whether it has work now.

A scheduled function is invoked asynchronously: a call that fails is tried twice again, a minute and then two
minutes later.
"""

from __future__ import annotations

import heapq
import itertools
import json
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lakehouse import aws, telemetry
from lakehouse.local.policy import SchedulePolicy
from lakehouse.local.private_file import write_private
from lakehouse.local.runtime.call_threads import CallThreads
from lakehouse.local.runtime.logs import reason
from lakehouse.steady_clock import steady_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lakehouse.local.runtime.sandbox import Invoker
    from lakehouse.local.wiring.resources import Schedule

_TICK = "tick"
_FIRST = ("sweep", _TICK)
_RETRY_AFTER_SECONDS: Final = (60.0, 120.0)  # as Lambda tries an asynchronous invocation again


def first_runs(
    schedules: Sequence[Schedule], ran: Mapping[str, float], now: float
) -> list[tuple[float, Schedule]]:
    """Return each schedule with the seconds until its first run, never more than its rate; the most urgent first.

    `ran` has the moments (epoch seconds, as `now`) at which schedules ran last, by name.
    """
    runs = [(_seconds_until(schedule, ran, now), schedule) for schedule in schedules]
    return sorted(runs, key=lambda run: (run[0], _rank(run[1]), run[1].name))


def _seconds_until(schedule: Schedule, ran: Mapping[str, float], now: float) -> float:
    if schedule.rate_seconds < SchedulePolicy.at_start_below_seconds:
        return 0.0
    elapsed = now - ran.get(schedule.name, now)
    if elapsed < 0:  # the clock was set back since: nobody knows how long ago it ran
        return 0.0
    return max(0.0, schedule.rate_seconds - elapsed)


def _rank(schedule: Schedule) -> int:
    """Return where a schedule stands among those that run at the same moment."""
    return _FIRST.index(schedule.function) if schedule.function in _FIRST else len(_FIRST)


class Scheduler:
    """Runs schedules and retries in one thread that starts a thread a call."""

    retry_after_s: Sequence[float] = _RETRY_AFTER_SECONDS

    def __init__(
        self,
        schedules: Sequence[Schedule],
        queue_urls: Mapping[str, str],
        invoker: Invoker,
        memory: Path,
        clock: Callable[[], float] = steady_seconds,
        definitions_changed: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take what to run, and the file that remembers when; `clock` measures seconds and never goes back.

        `definitions_changed` is asked at each look, and says whether people's definitions changed since the one before.
        """
        self._schedules = schedules
        self._queue_urls = queue_urls
        self._invoker = invoker
        self._memory = memory
        self._clock = clock
        self._definitions_changed = definitions_changed
        self._ran: dict[str, float] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()  # equal moments run in the order they were set
        self._lock = threading.Lock()
        self._calls = CallThreads()

    def start(self) -> None:
        """Set the first runs and begin."""
        self._set_first_runs()
        threading.Thread(target=self._loop, name="schedules", daemon=True).start()

    def _set_first_runs(self) -> None:
        now = time.time()
        ran = _read_last_runs(self._memory)
        self._ran = {schedule.name: ran.get(schedule.name, now) for schedule in self._schedules}
        for seconds, schedule in first_runs(self._schedules, ran, now):
            self._run_in(seconds, partial(self._run, schedule))

    def finish(self, deadline: float) -> None:
        """Wait for the calls under way, until `deadline` on the monotonic clock at most."""
        self._calls.finish(deadline)

    def _loop(self) -> None:
        while True:
            try:
                self._run_due()
            except Exception as error:  # noqa: BLE001 - this thread must outlive whatever went wrong with one run
                telemetry.failed("a schedule did not run", error, reason=reason(error))
            if self._invoker.stopping.wait(SchedulePolicy.poll_seconds):
                return

    def _run_due(self) -> None:
        self._invoker.log_overruns()
        if self._definitions_changed():
            self._run_tick_soon()
        while (action := self._next_due()) is not None:
            action()

    def _run_tick_soon(self) -> None:
        """Call `tick` once whoever saves several files has saved them."""
        for schedule in self._schedules:
            if schedule.function == _TICK:
                call = partial(self._invoke, _TICK, json.loads(schedule.input or "{}"), 1)
                self._run_in(SchedulePolicy.after_definitions_seconds, call)

    def _next_due(self) -> Callable[[], None] | None:
        with self._lock:
            if self._due and self._due[0][0] <= self._clock():
                return heapq.heappop(self._due)[2]
        return None

    def _run_in(self, seconds: float, action: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._due, (self._clock() + seconds, next(self._numbers), action))

    def _remember(self, schedule: Schedule) -> None:
        """Note that a schedule runs now; a disk that takes no note does not keep it from running."""
        self._ran[schedule.name] = time.time()
        try:
            write_private(self._memory, self._ran)
        except OSError as error:
            telemetry.failed("when schedules ran cannot be written down", error, reason=reason(error))

    def _run(self, schedule: Schedule) -> None:
        self._run_in(schedule.rate_seconds, partial(self._run, schedule))
        self._remember(schedule)
        if schedule.function is not None:
            self._invoke(schedule.function, json.loads(schedule.input or "{}"), 1)
        if schedule.queue_name is not None:
            self._send(schedule, self._queue_urls[schedule.queue_name])

    def _send(self, schedule: Schedule, queue_url: str) -> None:
        group = schedule.message_group_id
        try:
            if group is None:
                aws.sqs().send_message(QueueUrl=queue_url, MessageBody=schedule.input)
            else:
                aws.sqs().send_message(QueueUrl=queue_url, MessageBody=schedule.input, MessageGroupId=group)
        except Exception as error:  # noqa: BLE001 - the next run of the schedule comes anyway
            telemetry.failed("a scheduled message was not sent", error, queue=queue_url)

    def _invoke(self, function: str, event: Any, attempt: int) -> None:
        """Call a function in a thread of its own; `attempt` counts from 1."""
        self._calls.start(self._call, function, event, attempt)

    def _call(self, function: str, event: Any, attempt: int) -> None:
        began = time.monotonic()
        failures = 0
        try:
            self._invoker.invoke(function, event)
        except Exception as error:  # noqa: BLE001 - whatever the handler raised: the call failed
            failures = 1
            why = reason(error)
            telemetry.failed("a scheduled call failed", error, function=function, attempt=attempt, reason=why)
            self._retry(function, event, attempt)
        self._invoker.on_event(function, 1, time.monotonic() - began, failures)

    def _retry(self, function: str, event: Any, attempt: int) -> None:
        """Set the next attempt after a failed one, unless it was the last."""
        if attempt <= len(self.retry_after_s):
            seconds = self.retry_after_s[attempt - 1]
            self._run_in(seconds, partial(self._invoke, function, event, attempt + 1))


def _read_last_runs(memory: Path) -> dict[str, float]:
    """Return when schedules ran last, by name; nothing where the file is missing or damaged."""
    try:
        return {str(name): float(moment) for name, moment in json.loads(memory.read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
