"""The webhook that SeaweedFS sends its changes to, over HTTP."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from lakehouse import aws
from lakehouse.local.services.object_events import ObjectEvents

BUCKET = "landing"
ID = "6715d6094a9b4a80b0b72131f9bb3778"
WRITTEN_NS = 0x7FFF_FFFF_FFFF_FFFF - int(ID[:16], 16)


def change(path: str, event: str = "create", size: int = 5, **extended: str) -> dict[str, Any]:
    """Return a message as SeaweedFS 4.48 sends it; it leaves out a size of 0, as protobuf does."""
    attributes = {"mtime": WRITTEN_NS // 10**9, **({"file_size": size} if size else {})}
    encoded = {k.replace("_", "-"): base64.b64encode(v.encode()).decode() for k, v in extended.items()}
    entry = {"name": path.rpartition("/")[2], "attributes": attributes, "extended": encoded}
    return {"event_type": event, "key": f"/buckets/{path}", "message": {"new_entry": entry}}


def version(key: str, event: str = "create", number: str = ID, **more: Any) -> dict[str, Any]:
    """Return the message of a new version."""
    path = f"{BUCKET}/{key}.versions/v_{number}"
    return change(path, event, Seaweed_X_Amz_Version_Id=number, Seaweed_X_Amz_ETag="e1", **more)


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
