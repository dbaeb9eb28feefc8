"""The ingest stage: queue messages → raw files → batches."""

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
    file_ids_by_message: dict[str, set[str]] = {}
    files: list[RawFile] = []
    retry_ids: list[str] = []
    for record in records:
        message_id = record["messageId"]
        try:
            announced = landed_files(record["body"], settings.landing_bucket)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            telemetry.failed("a message is not about files", error, message_id=message_id)
            retry_ids.append(message_id)
            continue
        files += announced
        file_ids_by_message[message_id] = {file.file_id for file in announced}
    failed = ingest(settings, files).failed
    return retry_ids + [message_id for message_id, ids in file_ids_by_message.items() if ids & failed]


def landed_files(body: str, landing_bucket: str) -> list[RawFile]:
    """Return the files in the landing bucket that a message announces; folders are none.

    Raises ValueError, KeyError, TypeError or AttributeError for a message that does not say which files it is about.
    """
    announced = from_message(json.loads(body))
    if not all(file.key and file.version for file in announced):
        raise ValueError("a file without a key or version")
    return [file for file in announced if file.bucket == landing_bucket and not file.key.endswith("/")]
