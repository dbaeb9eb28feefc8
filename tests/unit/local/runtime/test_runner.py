"""Lambda's semantics: calls, time limits, sandboxes, batch responses, schedules and their retries."""

from __future__ import annotations

import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse import telemetry
from lakehouse.errors import Terminal, Transient
from lakehouse.local.runtime.logs import reason
from lakehouse.local.runtime.pollers import as_record, failed_ids
from lakehouse.local.runtime.sandbox import Invoker, TimedOut
from lakehouse.local.runtime.schedules import Scheduler, first_runs
from lakehouse.local.wiring.resources import Function, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PACKAGE = "runner_functions"


@pytest.fixture
def a_function(tmp_path: Path) -> Iterator[Callable[[str], Invoker]]:
    """Return a way to make an invoker with one function `f` of given source; its time-out is a second."""
    folder = tmp_path / _PACKAGE
    folder.mkdir()

    def make(source: str) -> Invoker:
        (folder / "f.py").write_text(textwrap.dedent(source), "utf-8")
        return Invoker({"f": Function("f", f"{_PACKAGE}.f", 256, 1, "Zip", {})})

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        yield make
    for name in [n for n in sys.modules if n.startswith(_PACKAGE)]:
        del sys.modules[name]


def until(look: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Return the first true answer of `look`; fail when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


def test_a_handler_gets_its_event_and_lambdas_context(a_function: Callable[[str], Invoker]) -> None:
    """The context answers what Powertools and handlers ask of it."""
    invoker = a_function(
        """
        def handler(event, context):
            return {"event": event, "name": context.function_name, "memory": context.memory_limit_in_mb,
                    "arn": context.invoked_function_arn, "left": context.get_remaining_time_in_millis(),
                    "request": context.aws_request_id}
        """
    )
    answer = invoker.invoke("f", {"n": 1})
    assert answer["event"] == {"n": 1}
    assert (answer["name"], answer["memory"]) == ("f", 256)
    assert answer["arn"].endswith(":function:f")
    assert 0 < answer["left"] <= 1000
    assert len(answer["request"]) == 36


def test_an_event_is_the_handlers_own_and_an_answer_is_json(a_function: Callable[[str], Invoker]) -> None:
    """What a handler does to its event stays with it, and what cannot be JSON is an error as on Lambda."""
    invoker = a_function(
        """
        def handler(event, context):
            event["changed"] = True
            return {1, 2} if event["bad"] else (1, 2)
        """
    )
    event = {"bad": False}
    assert invoker.invoke("f", event) == [1, 2]
    assert event == {"bad": False}
    with pytest.raises(Terminal, match="not JSON"):
        invoker.invoke("f", {"bad": True})


def test_concurrent_calls_do_not_share_a_handlers_module(a_function: Callable[[str], Invoker]) -> None:
    """Module state is one call's own while it runs, and the next call's afterwards, as in Lambda's sandboxes."""
    invoker = a_function(
        """
        import time
        STATE = []
        def handler(event, context):
            STATE.append(event)
            time.sleep(0.1)
            return STATE
        """
    )
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda n=n: answers.append(invoker.invoke("f", n))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [[0], [1], [2]]
    assert len(invoker.invoke("f", 3)) == 2
    assert invoker.running() == 0


def test_a_call_that_overruns_its_time_failed(
    a_function: Callable[[str], Invoker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once, when its time is up; whatever it answers in the end counts for nothing."""
    told: list[str] = []
    monkeypatch.setattr(telemetry, "warn", lambda what, **_: told.append(what))
    invoker = a_function(
        """
        import time
        def handler(event, context):
            while time.monotonic() < context.deadline + event["over"]:
                time.sleep(0.01)
            return "late"
        """
    )
    raised: list[BaseException] = []

    def call() -> None:
        try:
            invoker.invoke("f", {"over": 0.2})
        except TimedOut as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    while thread.is_alive():
        invoker.tell_overruns()
        thread.join(0.02)
    assert len(told) == 1
    assert "longer than its 1 s" in str(raised[0])
    assert invoker.running() == 0


def test_what_is_no_function_is_told_with_those_that_are(a_function: Callable[[str], Invoker]) -> None:
    """A misspelt name, and a module without a handler."""
    invoker = a_function("x = 1\n")
    with pytest.raises(Terminal, match="no function 'g'; there are: f"):
        invoker.invoke("g", {})
    with pytest.raises(Terminal, match="has no function `handler`"):
        invoker.invoke("f", {})


def _failures(*ids: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": i} for i in ids]}


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        (_failures("a"), {"a"}),
        (_failures("a", "b", "a"), {"a", "b"}),
        (_failures(""), {"a", "b", "c"}),
        (_failures(None), {"a", "b", "c"}),
        (_failures("a", "unknown"), {"a", "b", "c"}),
        ({"batchItemFailures": [{"wrongKey": "a"}]}, {"a", "b", "c"}),
        ({"batchItemFailures": ["a"]}, {"a", "b", "c"}),
        ({"batchItemFailures": "a"}, {"a", "b", "c"}),
        ("done", {"a", "b", "c"}),
    ],
)
def test_an_answer_names_the_failed_messages_or_all_failed(answer: Any, failed: set[str]) -> None:
    """As Lambda reads it: empty means success, what cannot be understood fails the whole batch."""
    assert failed_ids(answer, ["a", "b", "c"], reports=True) == failed


def test_without_reporting_an_answer_means_success() -> None:
    """A mapping without ReportBatchItemFailures deletes all that did not raise."""
    assert failed_ids(_failures("a"), ["a"], reports=False) == set()


def test_a_message_becomes_lambdas_record() -> None:
    """Names are in camel case, and binary attributes base64."""
    message: Any = {
        "MessageId": "m",
        "ReceiptHandle": "h",
        "Body": "b",
        "MD5OfBody": "5",
        "Attributes": {"ApproximateReceiveCount": "2"},
        "MessageAttributes": {
            "s": {"DataType": "String", "StringValue": "v"},
            "b": {"DataType": "Binary", "BinaryValue": b"\x00"},
        },
    }
    record = as_record(message, "arn:aws:sqs:us-east-1:1:q", "us-east-1")
    assert record["attributes"] == {"ApproximateReceiveCount": "2"}
    assert record["messageAttributes"]["s"]["stringValue"] == "v"
    assert record["messageAttributes"]["b"]["binaryValue"] == "AA=="
    assert record["eventSource"] == "aws:sqs"


def _schedule(name: str, rate: int) -> Schedule:
    return Schedule(name, rate, name, None, None, "{}")


def test_short_schedules_run_at_the_start_and_long_ones_when_they_are_due() -> None:
    """Sweep and tick first; a daily one a day after it was first seen, or after it ran."""
    names = {"tick": 300, "books": 900, "sweep": 900, "daily": 86_400, "late": 86_400}
    schedules = [_schedule(name, rate) for name, rate in names.items()]
    runs = first_runs(schedules, {"late": 1000.0 - 90_000, "daily": 1000.0 - 400, "tick": 999.0}, now=1000.0)
    assert [(s.name, moment - 1000.0) for moment, s in runs] == [
        ("sweep", 0),
        ("tick", 0),
        ("books", 0),
        ("late", 0),
        ("daily", 86_000),
    ]
    assert first_runs([_schedule("daily", 86_400)], {}, now=1000.0)[0][0] == 1000.0 + 86_400


def test_a_scheduled_call_that_fails_is_tried_twice_again(
    a_function: Callable[[str], Invoker], tmp_path: Path
) -> None:
    """As Lambda's asynchronous invocations: three calls in all, then it is logged and left."""
    invoker = a_function("def handler(event, context):\n    raise ValueError(event)\n")
    told: list[int] = []
    invoker.on_event = lambda _function, _size, _seconds, failures: told.append(failures)
    memory = tmp_path / "schedules.json"
    scheduler = Scheduler([_schedule("f", 900)], {}, invoker, memory, retry_after_s=(0.0, 0.0))
    scheduler.start()
    until(lambda: len(told) == 3)
    invoker.stopping.set()
    scheduler.finish(time.monotonic() + 1)
    assert told == [1, 1, 1]
    assert memory.exists()


def test_the_reason_of_a_failure_names_no_customer() -> None:
    """Our own errors are written for people to read; of any other only its place is told."""
    assert reason(Transient("try again")) == "try again"
    try:
        int("ann@example.com")
    except ValueError as error:
        told = reason(error)
    assert "ann" not in told
    assert "test_runner.py" in told
