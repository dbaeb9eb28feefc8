"""Collected requests become raw files: one a source of what a call of `gather` is handed, however often.

A request's object goes when it is in a raw file. Where a call ends in between, the next one writes the request to
another file: its events have the same message ids, and ingest loads one of each. The key of a file follows from what
it holds, so a call that is repeated writes the same one.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lakehouse import aws, objects, telemetry
from lakehouse.batching import Limit, batches
from lakehouse.landing.collected import MARK, PREFIX, object_key
from lakehouse.landing.policy import GatherPolicy

if TYPE_CHECKING:
    from lakehouse.settings import Settings

ENTITY: Final = "events"
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_NAME_DIGITS: Final = 32  # of the sha-256 that a file is called by: the layout of the landing bucket
_KEYS_DELETED: Final = 1_000  # all that S3 deletes in one request


class _Request(NamedTuple):
    """One collected request: its line, and what that says."""

    received_at: datetime
    line: str
    source: str
    key: str  # of its object


def gather(
    settings: Settings, records: Sequence[dict[str, Any]], sleep: Callable[[float], None] = time.sleep
) -> list[str]:
    """Write the requests of a call's messages to the landing bucket; return the ids of messages that are none.

    A full call takes its time, so that no load makes more than about a file a second.
    """
    began = time.monotonic()
    requests, strange = [], []
    for record in records:
        try:
            requests.append(_request(record["body"]))
        except (ValueError, TypeError, KeyError):
            telemetry.warn("no collected request", message_id=record["messageId"])
            strange.append(record["messageId"])
    _land(settings, requests)
    if sum(len(record["body"]) for record in records) >= GatherPolicy.full_bytes:
        sleep(max(0.0, GatherPolicy.full_call_seconds - (time.monotonic() - began)))
    return strange


def gather_left(settings: Settings, now: datetime) -> int:
    """Write the requests whose messages were lost to the landing bucket; return how many."""
    found = 0
    size = Limit[tuple[str, int]](lambda entry: entry[1], GatherPolicy.full_bytes)
    for batch in batches(_left(settings, now), size, count=_KEYS_DELETED):
        requests = []
        for key, _ in batch:
            body = objects.get(settings.ops_bucket, key)
            try:
                requests += [] if body is None else [_request(body.decode())._replace(key=key)]
            except (ValueError, TypeError, KeyError):
                telemetry.warn("no collected request", key=key)
        _land(settings, requests)
        found += len(requests)
    return found


def _left(settings: Settings, now: datetime) -> Iterator[tuple[str, int]]:
    """Yield key and bytes of the objects that should be in a raw file by now."""
    oldest = now - timedelta(seconds=GatherPolicy.left_after_seconds)
    pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=settings.ops_bucket, Prefix=PREFIX)
    for page in pages:
        for entry in page.get("Contents", []):
            if entry["LastModified"] < oldest:
                yield entry["Key"], entry["Size"]


def _request(line: str) -> _Request:
    """Return what a line says before its body. ValueError, TypeError, KeyError where it is no collected request.

    The body is not parsed again: it was at the door, and what is nested as deeply as may be would fail here.
    """
    head, _, body = line.partition(',"body":')
    said = json.loads(head + "}")
    received_at, source, request_id = datetime.fromisoformat(said["received_at"]), said["source"], said["id"]
    is_named = _NAME.fullmatch(source) and isinstance(request_id, str)
    is_whole = line.startswith(MARK) and body.startswith("{") and body.endswith("}}")
    if not is_whole or not is_named or received_at.tzinfo is None:
        raise ValueError("no collected request")
    return _Request(received_at, line, source, object_key(request_id, received_at))


def _land(settings: Settings, requests: Sequence[_Request]) -> None:
    """Write a file a source, then delete the requests' objects."""
    by_source: defaultdict[str, set[_Request]] = defaultdict(set)  # a message may come twice
    for request in requests:
        by_source[request.source].add(request)
    for source, found in sorted(by_source.items()):
        _write(settings, source, sorted(found))
    for keys in batches(sorted({request.key for request in requests}), count=_KEYS_DELETED):
        listed = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        failed = aws.s3().delete_objects(Bucket=settings.ops_bucket, Delete=listed).get("Errors", [])  # type: ignore[arg-type]
        if failed:  # they are found again, and their events loaded once
            telemetry.warn(
                "collected requests not deleted", count=len(failed), code=failed[0].get("Code", "")
            )
    telemetry.count("RequestsGathered", len(requests))


def _write(settings: Settings, source: str, requests: Sequence[_Request]) -> None:
    body = "".join(f"{request.line}\n" for request in requests).encode()
    name = hashlib.sha256(body).hexdigest()[:_NAME_DIGITS]
    key = f"{source}/{ENTITY}/{requests[-1].received_at:%Y/%m/%d/%H}/{name}.json"
    objects.put_unless_there(settings.landing_bucket, key, body, "application/x-ndjson")
    telemetry.info("requests gathered", key=key, count=len(requests), bytes=len(body))
