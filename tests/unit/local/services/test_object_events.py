"""Which of SeaweedFS's messages mean that an object was created, which object that is, and how it is passed on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lakehouse import aws, telemetry
from lakehouse.local.services import object_events
from lakehouse.local.services.object_events import ObjectEvents, object_created
from lakehouse.retrying import RetryPolicy
from tests.support.store_messages import BUCKET, ID, WRITTEN_NS, change, version


@pytest.mark.parametrize(
    "key",
    ["a.csv", "shop/orders/订单 %20+.csv", "a.versions/v_12", f"x.versions/v_{ID}", "deep/er/.versions"],
)
def test_a_new_version_is_an_object_created(key: str) -> None:
    """The key is as it was given, however much it looks like SeaweedFS's own paths."""
    created = object_created(version(key), {BUCKET})
    assert created is not None
    assert (created.bucket, created.key, created.size, created.etag) == (BUCKET, key, 5, "e1")
    assert created.version_id == ID
    assert created.reason == "PutObject"


def test_an_object_of_an_unversioned_bucket_is_one_too() -> None:
    """Its path is its key, also when it replaces another or is moved there; it has no version id."""
    for event in ("create", "update", "rename"):
        created = object_created(change(f"{BUCKET}/a/b.csv", event), {BUCKET})
        assert created is not None
        assert (created.key, created.version_id) == ("a/b.csv", None)
        assert "version-id" not in created.detail()["object"]


def test_an_empty_object_has_size_zero() -> None:
    """Its message leaves the size out."""
    created = object_created(version("empty", size=0), {BUCKET})
    assert created is not None
    assert created.size == 0


def test_an_upload_in_parts_says_so() -> None:
    """S3 gives another reason for it."""
    created = object_created(version("big", X_Seaweedfs_Multipart_Parts_Count="2"), {BUCKET})
    assert created is not None
    assert created.detail()["reason"] == "CompleteMultipartUpload"


def _directory() -> dict[str, Any]:
    made = change(f"{BUCKET}/a.csv.versions")
    made["message"]["new_entry"]["is_directory"] = True
    return made


@pytest.mark.parametrize(
    "noise",
    [
        version("a.csv", event="update", Seaweed_X_Amz_Noncurrent_Since_Ns="1"),
        version("a.csv", Seaweed_X_Amz_Delete_Marker="true"),
        version("a.csv") | {"key": f"/buckets/other/a.csv.versions/v_{ID}"},
        change(f"{BUCKET}/.uploads/u1/0001.part"),
        change(f"{BUCKET}"),
        _directory(),
        {"event_type": "delete", "key": f"/buckets/{BUCKET}/a.csv", "message": {"old_entry": {}}},
        {},
    ],
)
def test_noise_is_silent(noise: dict[str, Any]) -> None:
    """Updates of old versions, delete markers, parts, folders, other buckets, deletions."""
    assert object_created(noise, {BUCKET}) is None


def test_sequencers_grow_with_time() -> None:
    """They compare as text, as S3's do, whatever form the version id has."""
    later = f"{int(ID[:16], 16) - 1:016x}{ID[16:]}"
    first, second = (object_created(version("k", number=n), {BUCKET}) for n in (ID, later))
    foreign = object_created(version("k", number="f" * 32), {BUCKET})
    assert first is not None
    assert second is not None
    assert foreign is not None
    assert first.sequencer == f"{WRITTEN_NS:016X}"
    assert first.sequencer < second.sequencer
    assert len(foreign.sequencer) == len(first.sequencer)


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


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> _Bus:
    """An event bus in place of EventBridge's; nothing waits between two tries."""
    bus = _Bus()
    monkeypatch.setattr(aws, "events", lambda: bus)
    monkeypatch.setattr(object_events, "EVENT_RETRY", RetryPolicy(attempts=4))
    return bus


def test_events_are_sent_in_batches_of_ten_and_again_until_the_bus_took_them(bus: _Bus) -> None:
    """An entry that it took is not sent again; noise is not sent at all."""
    events = ObjectEvents({BUCKET}, "token")
    events.receive({})
    for n in range(12):
        events.receive(version(f"k{n}"))
    events.forward()
    events.stop()
    keys = [[json.loads(e["Detail"])["object"]["key"] for e in call] for call in bus.calls]
    assert [len(call) for call in keys] == [10, 10, 9, 2]
    assert keys[2] == keys[1][1:]
    assert keys[3] == ["k10", "k11"]


def test_events_that_the_bus_never_takes_are_counted_and_left_to_the_sweep(
    bus: _Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After four tries."""
    lost: list[int] = []
    monkeypatch.setattr(telemetry, "warn", lambda _what, count: lost.append(count))
    monkeypatch.setattr(bus, "put_events", lambda **_: {"Entries": [{"ErrorCode": "x"}]})
    events = ObjectEvents({BUCKET}, "token")
    events.receive(version("k"))
    events.forward()
    events.stop()
    assert lost == [1]
