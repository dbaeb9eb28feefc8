"""Requests that wait on the queue become one raw file a source: what a call is handed, however often.

The file's key follows from the messages, so a call that is repeated because its end was not heard writes the same file
again. Messages that come twice in different company are events of one message id, which ingest loads once.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from lakehouse import objects, telemetry
from lakehouse.landing.collected import MARK
from lakehouse.landing.policy import GatherPolicy

if TYPE_CHECKING:
    from lakehouse.settings import Settings

ENTITY: Final = "events"
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_NAME_DIGITS: Final = 32  # of the sha-256 that a file is called by: the layout of the landing bucket


def gather(
    settings: Settings, records: Sequence[dict[str, Any]], sleep: Callable[[float], None] = time.sleep
) -> list[str]:
    """Write the requests of a call's messages to the landing bucket; return the ids of messages that are none.

    A full call takes its time, so that no load makes more than about a file a second.
    """
    began = time.monotonic()
    lines: defaultdict[str, dict[str, None]] = defaultdict(dict)  # a message may come twice
    strange: list[str] = []
    for record in records:
        try:
            lines[_source(record["body"])][record["body"]] = None
        except (ValueError, TypeError, KeyError):
            telemetry.warn("no collected request", message_id=record["messageId"])
            strange.append(record["messageId"])
    for source in sorted(lines):
        _write(settings, source, list(lines[source]))
    telemetry.count("RequestsGathered", len(records) - len(strange))
    if sum(len(record["body"]) for record in records) >= GatherPolicy.full_bytes:
        sleep(max(0.0, GatherPolicy.full_call_seconds - (time.monotonic() - began)))
    return strange


def _source(body: str) -> str:
    """Return the source of a collected request. ValueError, TypeError, KeyError where a message is none."""
    said = json.loads(body)
    datetime.fromisoformat(said["received_at"])
    if not body.startswith(MARK) or not _NAME.fullmatch(said["source"]):
        raise ValueError("no collected request")
    return str(said["source"])


def _write(settings: Settings, source: str, lines: Sequence[str]) -> None:
    ordered = sorted(lines, key=lambda line: (json.loads(line)["received_at"], line))
    body = "".join(f"{line}\n" for line in ordered).encode()
    newest = datetime.fromisoformat(json.loads(ordered[-1])["received_at"])
    name = hashlib.sha256(body).hexdigest()[:_NAME_DIGITS]
    key = f"{source}/{ENTITY}/{newest:%Y/%m/%d/%H}/{name}.json"
    objects.put_unless_there(settings.landing_bucket, key, body, "application/x-ndjson")
    telemetry.info("requests gathered", key=key, count=len(lines), bytes=len(body))
