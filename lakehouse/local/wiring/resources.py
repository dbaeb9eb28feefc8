"""What the template asks for, in the words of the services that provide it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lakehouse.errors import BadDefinition

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE_BUCKET = (
    "LakeBucket"  # the logical id of the bucket of the tables' files, which the catalog's own store makes
)
_QUEUE_URL = re.compile(r"\{\{queue-url:([^}]+)\}\}")


def queue_url_marker(name: str) -> str:
    """Return what stands for a queue's URL until the queue exists."""
    return f"{{{{queue-url:{name}}}}}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of object storage. `eventbridge`: new objects become events on the event bus."""

    logical: str
    name: str
    versioned: bool
    eventbridge: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue. `attributes` are SQS's own, without the redrive policy; `dlq` is a queue's name.

    `max_receive`: how often a message is handed out before it moves to `dlq`; 0 where there is none.
    """

    logical: str
    name: str
    fifo: bool
    attributes: dict[str, str]
    dlq: str | None
    max_receive: int


@dataclass(frozen=True, slots=True)
class Target:
    """Where a rule sends. `input` replaces the event when it is not None."""

    queue_name: str
    message_group_id: str | None
    input: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """An EventBridge rule on the default bus; `pattern` is EventBridge's own JSON."""

    name: str
    pattern: dict[str, Any]
    targets: list[Target]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every `rate_seconds`, `input` (JSON) goes to a function (its short name) or to a queue."""

    name: str
    rate_seconds: int
    function: str | None
    queue_name: str | None
    message_group_id: str | None
    input: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function: `name` is the folder under functions/, `handler` the module whose `handler` is called."""

    name: str
    handler: str
    memory_mb: int
    timeout_s: int
    package: Literal["Image", "Zip"]
    variables: dict[str, str]

    def environment(self, queue_url: Callable[[str], str]) -> dict[str, str]:
        """Return the environment variables, once `queue_url(queue name)` knows the queues' URLs."""
        return {
            name: _QUEUE_URL.sub(lambda match: queue_url(match[1]), value)
            for name, value in self.variables.items()
        }


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which queue a function reads, and how: Lambda's event source mapping."""

    function: str
    queue_name: str
    batch_size: int
    window_s: int
    max_concurrency: int | None
    report_failures: bool


@dataclass(frozen=True, slots=True)
class Route:
    """An HTTP route; `path` has `{parameters}`, `method` is upper case or ANY."""

    method: str
    path: str
    function: str


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table; `attrs` maps each key attribute to its type (S, N, B)."""

    name: str
    key_schema: list[dict[str, str]]
    attrs: dict[str, str]
    ttl: str | None


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything a laptop has to provide for the functions to run as they do on AWS."""

    buckets: list[Bucket]
    queues: list[Queue]
    rules: list[Rule]
    schedules: list[Schedule]
    functions: dict[str, Function]
    mappings: list[Mapping]
    routes: list[Route]
    tables: list[Table]
    secrets: list[str]

    def table_bucket(self) -> str:
        """Return the name of the bucket of the tables' files; BadDefinition when the template has none."""
        names = [bucket.name for bucket in self.buckets if bucket.logical == TABLE_BUCKET]
        if len(names) != 1:
            raise BadDefinition(
                f"the template has no bucket {TABLE_BUCKET}, where the tables' files would be"
            )
        return names[0]
