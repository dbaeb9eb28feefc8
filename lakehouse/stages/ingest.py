"""The ingest stage: queue messages → raw files → batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from lakehouse import telemetry
from lakehouse.ingest.batch import ingest
from lakehouse.landing.announcements import Announcement, read_message
from lakehouse.landing.raw_files import RawFile
from lakehouse.settings import Settings


def ingest_records(settings: Settings, records: Sequence[dict[str, Any]]) -> list[str]:
    """Load the files that a batch of SQS records announces; return the message ids to deliver again.

    Those are messages with a file that could not be loaded now, and messages of which something cannot be read: the
    files that these announce all the same are loaded. What is no new file is logged and done with.
    """
    file_ids_by_message: dict[str, set[str]] = {}
    files: list[RawFile] = []
    retry_ids: set[str] = set()
    for record in records:
        message_id = record["messageId"]
        announcement = read_message(record["body"])
        for error in announcement.errors:
            telemetry.failed("a message is not about files", error, message_id=message_id)
            retry_ids.add(message_id)
        announced = landed_files(announcement, settings.landing_bucket)
        _log_dropped(announcement, len(announcement.files) - len(announced), message_id)
        files += announced
        file_ids_by_message[message_id] = {file.file_id for file in announced}
    failed = ingest(settings, files).failed
    retry_ids |= {message_id for message_id, ids in file_ids_by_message.items() if ids & failed}
    return [message_id for message_id in file_ids_by_message if message_id in retry_ids]


def landed_files(announcement: Announcement, landing_bucket: str) -> list[RawFile]:
    """Return the files in the landing bucket that are announced; folders are none."""
    return [
        file for file in announcement.files if file.bucket == landing_bucket and not file.key.endswith("/")
    ]


def _log_dropped(announcement: Announcement, others: int, message_id: str) -> None:
    """Log what a message tells beside new files: events of other names, folders and files of other buckets."""
    for event, count in sorted(Counter(announcement.other_events).items()):
        telemetry.info("not a new file; dropped", reason=event, count=count, message_id=message_id)
    if others:
        reason = "a folder, or an object of another bucket"
        telemetry.info("not a new file; dropped", reason=reason, count=others, message_id=message_id)
