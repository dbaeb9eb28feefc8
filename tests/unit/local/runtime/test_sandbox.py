"""Calling a function as Lambda does: context, JSON, sandboxes, time limits."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse import telemetry
from lakehouse.errors import Terminal
from lakehouse.local.runtime.sandbox import TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.local.runtime.sandbox import Invoker


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
    """It is logged once, when its time is up; whatever it answers in the end counts for nothing."""
    logged: list[str] = []
    monkeypatch.setattr(telemetry, "warn", lambda what, **_: logged.append(what))
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
        invoker.log_overruns()
        thread.join(0.02)
    assert len(logged) == 1
    assert "longer than its 1 s" in str(raised[0])
    assert invoker.running() == 0


def test_an_unknown_function_is_an_error_that_names_those_there_are(
    a_function: Callable[[str], Invoker],
) -> None:
    """A misspelt name, and a module without a handler."""
    invoker = a_function("x = 1\n")
    with pytest.raises(Terminal, match="no function 'g'; there are: f"):
        invoker.invoke("g", {})
    with pytest.raises(Terminal, match="has no function `handler`"):
        invoker.invoke("f", {})
