"""What arrives after a pause is handed on at once, and what follows it a window later."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from lakehouse import aws, settings
from lakehouse.local.runtime.pollers import Poller
from lakehouse.local.wiring.resources import Mapping
from tests.support import cloud as clouds
from tests.support.small_stack import until

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(("function", "least", "most"), [("gather", 0.0, 1.0), ("other", 2.0, 4.0)])
def test_a_lone_message_of_an_arrival_is_handed_on_at_once(
    monkeypatch: pytest.MonkeyPatch, function: str, least: float, most: float
) -> None:
    """A poller on a real queue, with a window of two seconds; the next message waits until that is over."""
    called: list[float] = []

    class Recorder:
        stopping = threading.Event()

        def invoke(self, *_: Any) -> None:
            called.append(time.monotonic())

        def on_event(self, *_: Any) -> None:
            pass

    with clouds.cloud(monkeypatch):
        url = settings.current().collect_queue_url
        mapping = Mapping(function, "collect", 10, 2, 2, report_failures=False)
        recorder = Recorder()
        Poller(mapping, url, recorder).start()  # type: ignore[arg-type]
        try:
            sent = time.monotonic()
            aws.sqs().send_message(QueueUrl=url, MessageBody="first")
            until(lambda: called)
            aws.sqs().send_message(QueueUrl=url, MessageBody="second")
            until(lambda: len(called) == 2)
        finally:
            recorder.stopping.set()
    assert least <= called[0] - sent < most + 1  # a busy machine is slow
    assert called[1] - called[0] >= 1.8
