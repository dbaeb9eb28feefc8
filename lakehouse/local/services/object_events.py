"""S3's "Object Created" events for the object store on a laptop, whoever wrote the object.

SeaweedFS tells every change of its file tree to a webhook; what means "an object was created" becomes the
EventBridge event that S3 would have sent, and the template's own rules route it. SeaweedFS forgets what it
could not tell, so the listener starts before the store; an event lost all the same is the sweep's to find.
"""

from __future__ import annotations

import base64
import json
import queue
import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lakehouse import aws, telemetry
from lakehouse.local.services.loopback import LoopbackServer, QuietHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_BUCKETS = "/buckets/"
_VERSIONS = ".versions"
_BATCH = 10  # PutEvents takes no more
_ATTEMPTS = 4
_VERSION_ID = re.compile("[0-9a-f]{32}")


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
        what = {"key": self.key, "size": self.size, "etag": self.etag, "sequencer": self.sequencer}
        if self.version_id is not None:
            what["version-id"] = self.version_id
        return {
            "version": "0",
            "bucket": {"name": self.bucket},
            "object": what,
            "request-id": uuid4().hex[:16].upper(),
            "requester": "local",
            "source-ip-address": "127.0.0.1",
            "reason": self.reason,
        }


def object_created(change: dict[str, Any], buckets: Collection[str]) -> ObjectCreated | None:
    """Read one webhook message of SeaweedFS; return None where it does not tell of a new object in `buckets`.

    In a versioned bucket a new version of `a/b.csv` is the new entry `a/b.csv.versions/v_<id>`. What else
    comes is noise: directories, parts of uploads, delete markers, later updates of entries told before.
    """
    entry = change.get("message", {}).get("new_entry")
    if not entry or entry.get("is_directory"):
        return None
    bucket, _, key = str(change.get("key", "")).removeprefix(_BUCKETS).partition("/")
    extended = entry.get("extended") or {}
    if bucket not in buckets or not key or key.startswith(".uploads/"):
        return None
    if "Seaweed-X-Amz-Delete-Marker" in extended:
        return None
    version_id = _text(extended.get("Seaweed-X-Amz-Version-Id"))
    if version_id is not None:
        directory, _, name = key.rpartition("/")
        if change.get("event_type") != "create" or name != f"v_{version_id}":
            return None
        key = directory.removesuffix(_VERSIONS)
    attributes = entry.get("attributes", {})
    parts = "X-Seaweedfs-Multipart-Parts-Count" in extended
    return ObjectCreated(
        bucket=bucket,
        key=key,
        size=int(attributes.get("file_size", 0)),
        etag=(_text(extended.get("Seaweed-X-Amz-ETag")) or "").strip('"'),
        version_id=version_id,
        sequencer=_sequencer(version_id, int(attributes.get("mtime", 0))),
        reason="CompleteMultipartUpload" if parts else "PutObject",
    )


def _text(encoded: str | None) -> str | None:
    return None if encoded is None else base64.b64decode(encoded).decode("utf-8")


def _sequencer(version_id: str | None, mtime: int) -> str:
    """Return when it was written, in ns as 16 hex digits; SeaweedFS's version ids hold it backwards."""
    if version_id is not None and _VERSION_ID.fullmatch(version_id):
        moment = 0x7FFF_FFFF_FFFF_FFFF - int(version_id[:16], 16)
        if abs(moment - mtime * 10**9) < 60 * 10**9:
            return f"{moment:016X}"
    return f"{mtime * 10**9:016X}"


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
        """Accept events from now on, and keep them until `forward`; return the URL to tell SeaweedFS."""
        self._server = LoopbackServer(_handler(self._token, self._receive))
        self._server.start("object-events")
        return self._server.url

    def forward(self) -> None:
        """Send what came and what comes to EventBridge; its endpoint must answer by now."""
        self._sender = threading.Thread(target=self._forward, name="object-events-sender", daemon=True)
        self._sender.start()

    def stop(self) -> None:
        """Stop listening, and pass on what came until now (at most 5 s)."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._sender is not None:
            self._waiting.put(None)
            self._sender.join(5)
            self._sender = None

    def _receive(self, change: dict[str, Any]) -> None:
        created = object_created(change, self._buckets)
        if created is not None:
            self._waiting.put(created)

    def _forward(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            while len(batch) < _BATCH and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    self._waiting.put(None)
                    break
                batch.append(following)
            self._send(batch)

    def _send(self, batch: Sequence[ObjectCreated]) -> None:
        left = [self._entry(created) for created in batch]
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(0.1 * 2**attempt)
            try:
                answer = aws.events().put_events(Entries=left)
            except Exception as error:  # noqa: BLE001 - whatever it was: try again, and the sweep finds the rest
                telemetry.failed("object events not sent", error, count=len(left), attempt=attempt + 1)
                continue
            left = [e for e, told in zip(left, answer["Entries"], strict=True) if "ErrorCode" in told]
            if not left:
                return
        telemetry.warn("object events lost; the sweep will find their objects", count=len(left))

    def _entry(self, created: ObjectCreated) -> PutEventsRequestEntryTypeDef:
        return {
            "Time": datetime.now(UTC),
            "Source": "aws.s3",
            "Resources": [f"arn:aws:s3:::{created.bucket}"],
            "DetailType": "Object Created",
            "Detail": json.dumps(created.detail(), ensure_ascii=False),
            "EventBusName": self._bus,
        }


def _handler(token: str, receive: Callable[[dict[str, Any]], None]) -> type[QuietHandler]:
    class Webhook(QuietHandler):
        timeout = None  # an idle connection stays: closing it could cost the event that comes just then

        def do_POST(self) -> None:  # noqa: N802 - the name in http.server
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            allowed = self.headers.get("Authorization") == f"Bearer {token}"
            self.reply(200 if allowed else 401)
            if allowed:
                receive(json.loads(body))

    return Webhook
