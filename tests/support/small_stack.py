"""A small wiring, one queue for each thing that a test watches; its functions do what the test says."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lakehouse.local.wiring.resources import (
    Bucket,
    Function,
    Mapping,
    Queue,
    Route,
    Rule,
    Schedule,
    Target,
    Wiring,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LANDING, LAKE, OPS = "test-landing", "test-lake", "test-ops"
FUNCTIONS = ("objects", "batches", "dead", "ordered", "web", "clock")


def queue(name: str, dlq: str | None = None, **attributes: str) -> Queue:
    return Queue(name, name, name.endswith(".fifo"), attributes, dlq, max_receive=2 if dlq else 0)


def a_wiring() -> Wiring:
    """Return a small wiring: one queue for each thing that a test watches."""
    variables = {"LAKEHOUSE_LANDING_BUCKET": LANDING, "LAKEHOUSE_OPS_BUCKET": OPS}
    return Wiring(
        buckets=[
            Bucket("LandingBucket", LANDING, versioned=True, eventbridge=True),
            Bucket("LakeBucket", LAKE, versioned=False, eventbridge=False),
            Bucket("OpsBucket", OPS, versioned=True, eventbridge=False),
        ],
        queues=[
            queue("objects"),
            queue("batches", VisibilityTimeout="2"),
            queue("dead-dlq"),
            queue("dead", "dead-dlq", VisibilityTimeout="1"),
            queue("ordered.fifo", FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="30"),
        ],
        rules=[
            Rule(
                "created",
                {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {"bucket": {"name": [LANDING]}},
                },
                [Target("objects", message_group_id=None)],
            )
        ],
        schedules=[Schedule("clock", 900, "clock", None, None, '{"tick": true}')],
        functions={
            name: Function(name, f"stack_functions.{name}", 128, 20, "Zip", variables) for name in FUNCTIONS
        },
        mappings=[
            Mapping("objects", "objects", 10, 0, 2, report_failures=True),
            Mapping("batches", "batches", 100, 1, 2, report_failures=True),
            Mapping("dead", "dead", 10, 0, 2, report_failures=True),
            Mapping("ordered", "ordered.fifo", 10, 0, None, report_failures=True),
        ],
        routes=[Route("POST", "/land/{source}/{entity}", "web"), Route("GET", "/broken", "dead")],
        tables=[],
        secrets=[],
    )


class Functions:
    """Handlers that record what they were called with, and do what a test tells them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, float]] = []
        self.do: dict[str, Callable[[Any], Any]] = {}

    def called(self, name: str, event: Any) -> Any:
        self.calls.append((name, event, time.monotonic()))
        return self.do.get(name, lambda _: None)(event)

    def records(self, name: str) -> list[dict[str, Any]]:
        return [r for called, event, _ in list(self.calls) if called == name for r in event["Records"]]


def until(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return the first true answer of `look`; fail when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not seen within {seconds} s"
        time.sleep(0.01)
    return found


def recorded(data: Path) -> list[tuple[int, float]]:
    """Return pid and creation time of each child that a stack wrote down."""
    return [(c["pid"], c["create_time"]) for c in json.loads((data / "children.json").read_text())]
