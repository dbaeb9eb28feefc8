"""S3's "Object Created" events for the object store on a laptop, whoever wrote the object.

SeaweedFS sends every change of its file tree to a webhook; what means "an object was created" becomes the
EventBridge event that S3 would have sent, and the template's own rules route it. SeaweedFS drops what it
could not send, so the listener starts before the store; an event lost all the same is the sweep's to find.
"""

from __future__ import annotations

import base64
import json
import queue
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from lakehouse import aws, telemetry
from lakehouse.landing.probe import PREFIX
from lakehouse.local.policy import EVENT_RETRY, ServicePolicy
from lakehouse.local.services.loopback import LoopbackServer, QuietHandler
from lakehouse.retrying import resend_rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

# How SeaweedFS lays out objects in its file tree.
_BUCKETS = "/buckets/"
_VERSIONS = ".versions"
_UPLOADS = ".uploads/"
_VERSION_ID = re.compile("[0-9a-f]{32}")
_LARGEST_TIME_NS: Final = 0x7FFF_FFFF_FFFF_FFFF  # a version id begins with this minus the time of its write
_SECOND_NS: Final = 10**9
_CLOCK_TOLERANCE_NS: Final = 60 * _SECOND_NS  # farther from the entry's time, a version id holds no time
_MAX_ENTRIES: Final = 10  # PutEvents takes no more


@dataclass(frozen=True)
class ObjectCreated:
    """One new object version: `size` in bytes, `etag` without quotes, `sequencer` grows for one key."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None
    sequencer: str
    reason: str

    def detail(self) -> dict[str, Any]:
        """Return the event's detail as S3 words it; the key is not URL-encoded."""
        s3_object = {"key": self.key, "size": self.size, "etag": self.etag, "sequencer": self.sequencer}
        if self.version_id is not None:
            s3_object["version-id"] = self.version_id
        return {
            "version": "0",
            "bucket": {"name": self.bucket},
            "object": s3_object,
            "request-id": uuid4().hex[:16].upper(),
            "requester": "local",
            "source-ip-address": "127.0.0.1",
            "reason": self.reason,
        }


def object_created(change: dict[str, Any], buckets: Collection[str]) -> ObjectCreated | None:
    """Read one webhook message of SeaweedFS; return None where it does not mean a new object in `buckets`.

    What else comes is noise: directories, parts of uploads, delete markers, later updates of entries that were
    announced when they were created.
    """
    entry = change.get("message", {}).get("new_entry")
    bucket, _, path = str(change.get("key", "")).removeprefix(_BUCKETS).partition("/")
    if bucket not in buckets or not _is_object(entry, path):
        return None
    attributes = entry.get("attributes", {})
    extended = entry.get("extended") or {}
    version_id = _decoded(extended.get("Seaweed-X-Amz-Version-Id"))
    key = path if version_id is None else _versioned_key(path, version_id, change.get("event_type"))
    if key is None:
        return None
    in_parts = "X-Seaweedfs-Multipart-Parts-Count" in extended
    return ObjectCreated(
        bucket=bucket,
        key=key,
        size=int(attributes.get("file_size", 0)),
        etag=(_decoded(extended.get("Seaweed-X-Amz-ETag")) or "").strip('"'),
        version_id=version_id,
        sequencer=_sequencer(version_id, int(attributes.get("mtime", 0))),
        reason="CompleteMultipartUpload" if in_parts else "PutObject",
    )


def _is_object(entry: dict[str, Any] | None, path: str) -> bool:
    """Return whether an entry of the file tree, at a path below its bucket, holds an object's content."""
    if not entry or entry.get("is_directory"):
        return False
    if not path or path.startswith((_UPLOADS, PREFIX)):
        return False
    return "Seaweed-X-Amz-Delete-Marker" not in (entry.get("extended") or {})


def _versioned_key(path: str, version_id: str, event_type: str | None) -> str | None:
    """Return the key of a new version, None for an update of an older one.

    In a versioned bucket a new version of `a/b.csv` is the new entry `a/b.csv.versions/v_<id>`.
    """
    directory, _, name = path.rpartition("/")
    if event_type != "create" or name != f"v_{version_id}":
        return None
    return directory.removesuffix(_VERSIONS)


def _decoded(encoded: str | None) -> str | None:
    return None if encoded is None else base64.b64decode(encoded).decode("utf-8")


def _sequencer(version_id: str | None, mtime: int) -> str:
    """Return when it was written, in ns as 16 hex digits; `mtime` is in seconds, a version id more exact."""
    written_ns = mtime * _SECOND_NS
    if version_id is not None and _VERSION_ID.fullmatch(version_id):
        version_ns = _LARGEST_TIME_NS - int(version_id[:16], 16)
        if abs(version_ns - written_ns) < _CLOCK_TOLERANCE_NS:
            return f"{version_ns:016X}"
    return f"{written_ns:016X}"


class ObjectEvents:
    """The webhook's listener, and the thread that passes its events on to EventBridge in batches."""

    def __init__(self, buckets: Collection[str], token: str, bus: str = "default") -> None:
        self._buckets = frozenset(buckets)
        self._token = token
        self._bus = bus
        self._waiting: queue.SimpleQueue[ObjectCreated | None] = queue.SimpleQueue()
        self._server: LoopbackServer | None = None
        self._sender: threading.Thread | None = None

    def listen(self) -> str:
        """Accept events from now on, and keep them until `forward`; return the URL that SeaweedFS sends to."""
        self._server = LoopbackServer(_handler(self._token, self.receive))
        self._server.start("object-events")
        return self._server.url

    def receive(self, change: dict[str, Any]) -> None:
        """Take one webhook message of SeaweedFS; what is no new object is dropped."""
        created = object_created(change, self._buckets)
        if created is not None:
            self._waiting.put(created)

    def forward(self) -> None:
        """Send what came and what comes to EventBridge; its endpoint must answer by now."""
        self._sender = threading.Thread(target=self._forward, name="object-events-sender", daemon=True)
        self._sender.start()

    def stop(self) -> None:
        """Stop listening, and pass on what came until now, for a few seconds at most."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._sender is not None:
            self._waiting.put(None)
            self._sender.join(ServicePolicy.events_stop_seconds)
            self._sender = None

    def _forward(self) -> None:
        """Send batches until `None`, which stands behind all others."""
        while (first := self._waiting.get()) is not None:
            self._send(self._batch_from(first))

    def _batch_from(self, first: ObjectCreated) -> list[ObjectCreated]:
        """Return the first event with those that wait behind it; no event is waited for."""
        batch = [first]
        while len(batch) < _MAX_ENTRIES and not self._waiting.empty():
            following = self._waiting.get()
            if following is None:
                self._waiting.put(None)
                break
            batch.append(following)
        return batch

    def _send(self, batch: Sequence[ObjectCreated]) -> None:
        entries = [self._entry(created) for created in batch]
        lost = resend_rejected(_put_events, entries, EVENT_RETRY)
        if lost:
            telemetry.warn("object events lost; the sweep will find their objects", count=len(lost))

    def _entry(self, created: ObjectCreated) -> PutEventsRequestEntryTypeDef:
        return {
            "Time": datetime.now(UTC),
            "Source": "aws.s3",
            "Resources": [f"arn:aws:s3:::{created.bucket}"],
            "DetailType": "Object Created",
            "Detail": json.dumps(created.detail(), ensure_ascii=False),
            "EventBusName": self._bus,
        }


def _put_events(entries: Sequence[PutEventsRequestEntryTypeDef]) -> Sequence[PutEventsRequestEntryTypeDef]:
    """Send entries to the event bus; return those that it did not take, all of them when it is away."""
    try:
        results = aws.events().put_events(Entries=entries)["Entries"]
    except Exception as error:  # noqa: BLE001 - whatever it was: try again, and the sweep finds the rest
        telemetry.failed("object events not sent", error, count=len(entries))
        return entries
    return [entry for entry, result in zip(entries, results, strict=True) if "ErrorCode" in result]


def _handler(token: str, receive: Callable[[dict[str, Any]], None]) -> type[QuietHandler]:
    class Webhook(QuietHandler):
        timeout = None  # an idle connection stays: closing it could cost the event that comes just then

        def do_POST(self) -> None:  # noqa: N802 - the name in http.server
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            allowed = self.headers.get("Authorization") == f"Bearer {token}"
            self.reply(HTTPStatus.OK if allowed else HTTPStatus.UNAUTHORIZED)
            if allowed:
                receive(json.loads(body))

    return Webhook
