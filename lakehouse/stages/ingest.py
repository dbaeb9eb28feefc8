"""The ingest stage: queue messages → raw files → one batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lakehouse import telemetry
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import RawFile, from_message
from lakehouse.settings import Settings


def ingest_records(settings: Settings, records: Sequence[dict[str, Any]]) -> list[str]:
    """Load the files that a batch of SQS records announces; return the message ids to deliver again."""
    files_of: dict[str, set[str]] = {}
    files: list[RawFile] = []
    again: list[str] = []
    for record in records:
        try:
            announced = [file for file in from_message(json.loads(record["body"])) if _ours(settings, file)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            telemetry.failed("a message is not about files", error, message_id=record["messageId"])
            again.append(record["messageId"])
            continue
        files += announced
        files_of[record["messageId"]] = {file.file_id for file in announced}
    failed = ingest(settings, files).failed
    return again + [message for message, ids in files_of.items() if ids & failed]


def _ours(settings: Settings, file: RawFile) -> bool:
    """Return whether a file is to be loaded; ValueError when the message does not say which file it is."""
    if not (file.key and file.version):
        raise ValueError("a file without a key or version")
    return file.bucket == settings.landing_bucket and not file.key.endswith("/")
