"""The webhook that SeaweedFS sends its changes to, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from lakehouse import aws
from lakehouse.local.services.object_events import ObjectEvents
from tests.support.store_messages import BUCKET, version


class _Bus:
    """An event bus that refuses some entries the first time, and is away before that."""

    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append(Entries)
        if len(self.calls) == 1:
            raise ConnectionError
        refuse = len(self.calls) == 2
        return {
            "Entries": [{"ErrorCode": "x"} if refuse and n else {"EventId": "1"} for n in range(len(Entries))]
        }


def test_events_wait_for_the_bus_and_are_sent_again_in_batches_of_ten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None is lost when the bus is away for a moment, none that it took is sent again, strangers are refused."""
    bus = _Bus()
    monkeypatch.setattr(aws, "events", lambda: bus)
    events = ObjectEvents({BUCKET}, "token")
    url = events.listen()
    with httpx.Client(trust_env=False) as client:
        assert client.post(url, json=version("stranger")).status_code == 401
        for n in range(12):
            answer = client.post(url, json=version(f"k{n}"), headers={"Authorization": "Bearer token"})
            assert answer.status_code == 200
    events.forward()
    events.stop()
    keys = [[json.loads(e["Detail"])["object"]["key"] for e in call] for call in bus.calls]
    assert [len(call) for call in keys] == [10, 10, 9, 2]
    assert keys[2] == keys[1][1:]
    assert keys[3] == ["k10", "k11"]
    entry = bus.calls[0][0]
    assert (entry["Source"], entry["DetailType"]) == ("aws.s3", "Object Created")
