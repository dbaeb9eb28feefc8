# ruff: noqa: N803, ARG002 - the calls are named as boto3 names them
"""The ingest queue and the hints: delivered late, twice, out of order or never, as the seed has it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError

from tests.simulation.world import DAY

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.store import Put
    from tests.simulation.world import World

_VISIBILITY = 900.0  # seconds until a message that nobody deleted is delivered again
_AGAIN = 60.0  # the same for one that was told to have failed


@dataclass
class Message:
    """A message; it is delivered when the clock has come to `visible`."""

    number: int
    body: str
    visible: float


@dataclass(frozen=True)
class Delivery:
    """How events fare on their way: how many are lost, come twice, come late."""

    lost: float
    twice: float
    late: float
    soon: float = 30.0  # seconds that those which are not late take at most

    @classmethod
    def draw(cls, rng: Random) -> Delivery:
        lost, twice = rng.choice((0.0, 0.0, 0.1, 0.5, 1.0)), rng.choice((0.0, 0.2, 0.6))
        return cls(lost, twice, rng.choice((0.0, 0.2, 0.6)), rng.choice((0.1, 1.0, 30.0)))


class Queue:
    """What is said of SQS: at least once, in any order, until it is deleted."""

    def __init__(self, world: World, delivery: Delivery) -> None:
        self.world = world
        self.delivery = delivery
        self.messages: list[Message] = []
        self._number = 0
        self._rng = world.random("events")

    def announce(self, put: Put) -> bool:
        """Send an object's event, or lose it (False), or send it more often than once."""
        if self._rng.random() < self.delivery.lost:
            return False
        thing = {"key": put.key, "size": put.size, "etag": put.etag.strip('"')}
        if put.version != "null":
            thing["version-id"] = put.version
        body = {"detail-type": "Object Created", "detail": {"bucket": {"name": put.bucket}, "object": thing}}
        copies = 1
        while self._rng.random() < self.delivery.twice and copies < 5:
            copies += 1
        for _ in range(copies):
            late = self._rng.random() < self.delivery.late
            self.put(json.dumps(body), self._rng.uniform(0, 9 * DAY if late else self.delivery.soon))
        return True

    def put(self, body: str, delay: float = 0.0) -> None:
        self._number += 1
        self.messages.append(Message(self._number, body, self.world.now + delay))
        self.world.rouse(self.world.now + delay)

    def receive(self, most: int, *, in_order: bool = False) -> list[dict[str, Any]]:
        """Take messages that are visible; they stay until they are deleted."""
        visible = [each for each in self.messages if each.visible <= self.world.now]
        if not in_order:
            self._rng.shuffle(visible)
        for message in visible[:most]:
            message.visible = self.world.now + _VISIBILITY
        return [{"messageId": str(each.number), "body": each.body} for each in visible[:most]]

    def done(self, records: list[dict[str, Any]], failed: list[str]) -> None:
        """Delete what was handled; what failed comes again soon."""
        for record in records:
            if record["messageId"] not in failed:
                self._delete(record["messageId"])
        for message in self.messages:
            if str(message.number) in failed:
                message.visible = self.world.now + _AGAIN
                self.world.rouse(message.visible)

    def _delete(self, number: str) -> None:
        def delete() -> None:
            self.messages[:] = [each for each in self.messages if str(each.number) != number]

        self.world.io(f"DeleteMessage {number}", delete, error=_lost)

    @property
    def next_visible(self) -> float | None:
        return min((each.visible for each in self.messages), default=None)


class Sqs:
    """The one call of the client that ingest and sweep make."""

    def __init__(self, world: World, queue: Queue) -> None:
        self.world = world
        self.queue = queue

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        def send() -> dict[str, Any]:
            for entry in Entries:
                self.queue.put(entry["MessageBody"])
            return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

        return self.world.io(f"SendMessageBatch {len(Entries)}", send, error=_lost, again=send)


class Events:
    """The event bus. Nothing that is under test listens: a hint may be lost anyway."""

    def __init__(self, world: World) -> None:
        self.world = world

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        return self.world.io("PutEvents", lambda: {"FailedEntryCount": 0, "Entries": []}, error=_lost)


def _lost(_: bool) -> Exception:
    return ReadTimeoutError(endpoint_url="https://queue")
