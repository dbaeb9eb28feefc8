"""What a message on the ingest queue says: which files are new, what else happened, and what cannot be understood.

Files come announced in several forms, and all of them may be on one queue: `{"files": [...]}` as `put` and `sweep`
send it, S3's events by EventBridge, S3's notifications to a queue (MinIO and Ceph send the same), and these by SNS,
with its envelope or delivered raw. Buckets also tell what is no new file: removals, restores, tags, and a test as
soon as notifications are set up. None of that is a failure, and nothing of it is ever needed twice.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from lakehouse.landing.raw_files import RawFile, arrival, from_object

_CREATED = "ObjectCreated:"
_S3 = "aws.s3"  # the source of its events in EventBridge
_TEST = "s3:TestEvent"
_EVENT_NAME = re.compile(r"[A-Za-z0-9*]+(?::[A-Za-z0-9*]+)*")  # of S3's notifications, without the prefix s3:
_DETAIL_TYPE = re.compile(r"Object [A-Za-z ]+")  # of S3's events by EventBridge
_ENVELOPE = frozenset({"Type", "TopicArn"})  # of SNS


@dataclass(frozen=True)
class Announcement:
    """What a message says: the files that are new, the names of other events, what went wrong in reading the rest.

    One part that cannot be read does not keep the others from being read.
    """

    files: tuple[RawFile, ...] = ()
    other_events: tuple[str, ...] = ()
    errors: tuple[Exception, ...] = ()


def read_message(body: str) -> Announcement:
    """Return what the body of a queue message says; a form that nobody knows is one error."""
    files: list[RawFile] = []
    other_events: list[str] = []
    errors: list[Exception] = []
    for part in _parts_or_error(body):
        if isinstance(part, RawFile):
            files.append(part)
        elif isinstance(part, Exception):
            errors.append(part)
        else:
            other_events.append(part)
    return Announcement(tuple(files), tuple(other_events), tuple(errors))


def _parts_or_error(body: str) -> Iterator[RawFile | str | Exception]:
    try:
        yield from _parts(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield error


def _parts(message: Any) -> Iterable[RawFile | str | Exception]:
    """Return the files, names of other events and errors of a message; ValueError for an unknown form."""
    if not isinstance(message, dict):
        raise TypeError("a message that is no JSON object")
    if message.keys() >= _ENVELOPE:
        return _parts_of_envelope(message)
    if "files" in message:
        return [_listed(entry) for entry in message["files"]]
    if "detail-type" in message:
        return [_event(message)]
    if "Records" in message:
        return [_notified_or_error(record) for record in message["Records"]] or ["an empty list of records"]
    if message.get("Event") == _TEST:
        return [_TEST]
    raise ValueError("neither an event of S3 nor a list of files")


def _listed(entry: dict[str, Any]) -> RawFile:
    """Read a file of `{"files": [...]}`."""
    return _complete(from_object(entry["bucket"], entry, str(entry.get("arrival") or "")))


def _parts_of_envelope(envelope: dict[str, Any]) -> Iterable[RawFile | str | Exception]:
    """Read what SNS wraps. That a subscription must be confirmed is for a person: it stays an error."""
    if envelope["Type"] == "UnsubscribeConfirmation":
        return ["UnsubscribeConfirmation"]
    if envelope["Type"] != "Notification":
        raise ValueError("a message of SNS that is no notification")
    message = json.loads(envelope["Message"])
    if isinstance(message, dict) and message.keys() >= _ENVELOPE:
        raise ValueError("an envelope of SNS within another")
    return _parts(message)


def _event(event: dict[str, Any]) -> RawFile | str:
    """Read an event by EventBridge, which has the key as it is."""
    detail_type = event["detail-type"]
    if event.get("source", _S3) != _S3 or not _DETAIL_TYPE.fullmatch(detail_type):
        raise ValueError("an event that is not about an object of S3")
    if detail_type != "Object Created":
        return str(detail_type)
    bucket, entry = event["detail"]["bucket"]["name"], event["detail"]["object"]
    came = arrival(event.get("time"), entry.get("sequencer"))
    return _complete(from_object(bucket, entry, came))


def _notified_or_error(record: Any) -> RawFile | str | Exception:
    try:
        return _notified(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return error


def _notified(record: dict[str, Any]) -> RawFile | str:
    """Read a record of a notification, which has the key URL-encoded. MinIO writes `s3:` before the event's name."""
    entry = record["s3"]["object"]
    name = record["eventName"].removeprefix("s3:")
    if not _EVENT_NAME.fullmatch(name):
        raise ValueError("a notification without the name of an event")
    if not name.startswith(_CREATED):
        return str(name)
    announced = {
        "key": unquote_plus(entry["key"], errors="strict"),
        "VersionId": entry.get("versionId"),
        "etag": entry.get("eTag") or entry.get("etag"),
        "size": entry.get("size"),
    }
    came = arrival(record.get("eventTime"), entry.get("sequencer"))
    return _complete(from_object(record["s3"]["bucket"]["name"], announced, came))


def _complete(file: RawFile) -> RawFile:
    """Return the file; ValueError where it has no key, or no version and is no folder."""
    is_folder = file.key.endswith("/")
    if not file.key or not (file.version or is_folder):
        raise ValueError("a file without a key or version")
    return file
