"""When schedules run first, and what becomes of a scheduled call that fails."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from lakehouse import aws, telemetry
from lakehouse.local.policy import SchedulePolicy
from lakehouse.local.runtime.sandbox import Invoker
from lakehouse.local.runtime.schedules import Scheduler, first_runs
from lakehouse.local.wiring.resources import Schedule
from tests.support.small_stack import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _schedule(name: str, rate: int) -> Schedule:
    return Schedule(name, rate, name, None, None, "{}")


def test_short_schedules_run_at_the_start_and_long_ones_when_they_are_due() -> None:
    """Sweep and tick first; a daily one a day after it was first seen, or ran; at once where it ran in the future."""
    names = {"tick": 300, "books": 900, "sweep": 900, "daily": 86_400, "late": 86_400, "odd": 86_400}
    schedules = [_schedule(name, rate) for name, rate in names.items()]
    ran = {"late": 1000.0 - 90_000, "daily": 1000.0 - 400, "tick": 999.0, "odd": 1000.0 + 3_600}
    assert [(s.name, seconds) for seconds, s in first_runs(schedules, ran, now=1000.0)] == [
        ("sweep", 0),
        ("tick", 0),
        ("books", 0),
        ("late", 0),
        ("odd", 0),
        ("daily", 86_000),
    ]
    assert first_runs([_schedule("daily", 86_400)], {}, now=1000.0)[0][0] == 86_400


def test_schedules_run_on_when_nothing_can_be_written_or_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk keeps no note of the run, and the run goes on; an error of one run does not end the thread."""
    monkeypatch.setattr(SchedulePolicy, "poll_seconds", 0.01)
    logged: list[dict[str, str]] = []
    monkeypatch.setattr(
        telemetry, "failed", lambda what, _error, **fields: logged.append({"what": what} | fields)
    )
    invoker = Invoker({})
    memory = tmp_path / "no such folder" / "schedules.json"
    scheduler = Scheduler([_schedule("f", 0)], {}, invoker, memory)
    tried: list[str] = []

    def refuse(function: str, _event: object, _attempt: int) -> None:
        tried.append(function)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(scheduler, "_invoke", refuse)
    scheduler.start()
    until(lambda: len(tried) > 2)
    invoker.stopping.set()
    whats = {entry["what"] for entry in logged}
    assert whats == {"when schedules ran cannot be written down", "a schedule did not run"}


def test_a_change_of_definitions_runs_tick_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who edits a segment waits for seconds, and not for the next tick."""
    monkeypatch.setattr(SchedulePolicy, "poll_seconds", 0.01)
    monkeypatch.setattr(SchedulePolicy, "after_definitions_seconds", 0.0)
    changes = iter([False, True])
    invoker = Invoker({})
    schedules = [_schedule("tick", 86_400), _schedule("daily", 86_400)]
    scheduler = Scheduler(
        schedules, {}, invoker, tmp_path / "s.json", definitions_changed=lambda: next(changes, False)
    )
    called: list[str] = []
    monkeypatch.setattr(scheduler, "_invoke", lambda function, _event, _attempt: called.append(function))
    scheduler.start()
    until(lambda: called)
    invoker.stopping.set()
    assert called == ["tick"]


def test_a_scheduled_call_that_fails_is_tried_twice_again(
    a_function: Callable[[str], Invoker], tmp_path: Path
) -> None:
    """As Lambda's asynchronous invocations: three calls in all, then it is logged and given up."""
    invoker = a_function("def handler(event, context):\n    raise ValueError(event)\n")
    heard: list[int] = []
    invoker.on_event = lambda _function, _size, _seconds, failures: heard.append(failures)
    memory = tmp_path / "schedules.json"
    scheduler = Scheduler([_schedule("f", 900)], {}, invoker, memory)
    scheduler.retry_after_s = (0.0, 0.0)
    scheduler.start()
    until(lambda: len(heard) == 3)
    invoker.stopping.set()
    scheduler.finish(time.monotonic() + 1)
    assert heard == [1, 1, 1]
    assert memory.exists()


class _Queues:
    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    def send_message(self, **message: str) -> None:
        self.sent.append(message)
        raise ConnectionError  # the next run comes anyway


def test_a_schedule_may_send_its_input_to_a_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the message group of a FIFO queue; when it ran is remembered, whatever became of the message."""
    queues = _Queues()
    monkeypatch.setattr(aws, "sqs", lambda: queues)
    schedules = [
        Schedule("books", 900, None, "books.fifo", "books", '{"tick": true}'),
        Schedule("plain", 900, None, "plain", None, "{}"),
    ]
    urls = {"books.fifo": "http://q/books.fifo", "plain": "http://q/plain"}
    memory = tmp_path / "schedules.json"
    invoker = Invoker({})
    scheduler = Scheduler(schedules, urls, invoker, memory)
    scheduler.start()
    until(lambda: len(queues.sent) == 2)
    invoker.stopping.set()
    scheduler.finish(time.monotonic() + 1)
    assert queues.sent == [
        {"QueueUrl": "http://q/books.fifo", "MessageBody": '{"tick": true}', "MessageGroupId": "books"},
        {"QueueUrl": "http://q/plain", "MessageBody": "{}"},
    ]
    assert json.loads(memory.read_text()).keys() == {"books", "plain"}


@pytest.mark.parametrize(
    ("text", "runs"), [("", 0), ("[]", 0), ('{"daily": "yesterday"}', 0), ('{"daily": 0}', 1)]
)
def test_a_damaged_memory_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, runs: int
) -> None:
    """The stack starts all the same, and schedules count from now on; by a sound one a run of long ago is due."""
    memory = tmp_path / "schedules.json"
    memory.write_text(text)
    invoker = Invoker({})
    scheduler = Scheduler([_schedule("daily", 86_400)], {}, invoker, memory)
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(scheduler, "_invoke", lambda *call: calls.append(call))
    invoker.stopping.set()  # it looks once
    scheduler.start()
    until(lambda: all(thread.name != "schedules" for thread in threading.enumerate()))
    assert len(calls) == runs
