"""What a raw file is: an object version under `<source>/<entity>/` in the landing bucket."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from lakehouse import aws

_SOURCE_KEY = re.compile(r"(?P<source>[a-z0-9][a-z0-9_]*)/(?P<entity>[a-z0-9][a-z0-9_]*)/")


@dataclass(frozen=True)
class RawFile:
    """One version of one object. `version` is the version id, or the etag where the bucket keeps no versions."""

    bucket: str
    key: str
    version: str
    size: int
    is_etag: bool = False

    @property
    def file_id(self) -> str:
        """Return the sha-256 of bucket, key and version: the same however the file was announced."""
        identity = f"{self.bucket}\0{self.key}\0{self.version}"
        return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def source_key(self) -> tuple[str, str]:
        """Return (source, entity) as the key's first two folders name them; empty texts where they do not."""
        match = _SOURCE_KEY.match(self.key)
        return (match["source"], match["entity"]) if match else ("", "")

    def message(self) -> dict[str, Any]:
        """Return the file as it stands in a queue message."""
        name = "etag" if self.is_etag else "version_id"
        return {"bucket": self.bucket, "key": self.key, name: self.version, "size": self.size}


def from_object(bucket: str, entry: dict[str, Any]) -> RawFile:
    """Make a RawFile from what S3 says of an object: an event's `object`, a listing's entry, a queue message."""
    key = _value(entry, "key", "Key") or ""
    version = _value(entry, "version-id", "version_id", "VersionId")
    etag = str(_value(entry, "etag", "ETag") or "").strip('"')
    size = int(_value(entry, "size", "Size") or 0)
    if version and version != "null":
        return RawFile(bucket, key, version, size)
    return RawFile(bucket, key, etag, size, is_etag=True)


def _value(entry: dict[str, Any], *names: str) -> Any:
    """Return the first value that an entry has under one of several names; None where it has none."""
    values = (entry.get(name) for name in names)
    return next(filter(None, values), None)


def from_message(body: dict[str, Any]) -> list[RawFile]:
    """Return the files that a queue message announces; ValueError for a body of another kind.

    An EventBridge "Object Created" event, which has the key as it is; a notification of S3 to a queue, which has
    it URL-encoded; or `{"files": [...]}` as `put` and `sweep` send it.
    """
    if "files" in body:
        return [from_object(entry["bucket"], entry) for entry in body["files"]]
    if body.get("detail-type") == "Object Created":
        detail = body["detail"]
        return [from_object(detail["bucket"]["name"], detail["object"])]
    if "Records" in body:
        return [_notified(record) for record in body["Records"]]
    raise ValueError("neither an Object Created event nor a list of files")


def _notified(record: dict[str, Any]) -> RawFile:
    """Read a record of an S3 notification.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    if not str(record.get("eventName", "")).startswith("ObjectCreated:"):
        raise ValueError("a notification that is not of a new object")
    entry = record["s3"]["object"]
    announced = {
        "key": unquote_plus(entry["key"], errors="strict"),
        "VersionId": entry.get("versionId"),
        "etag": entry.get("eTag"),
        "size": entry.get("size"),
    }
    return from_object(record["s3"]["bucket"]["name"], announced)


def listing(bucket: str, prefix: str = "") -> Iterator[RawFile]:
    """Yield every version of every object; delete markers and folders are left out."""
    for page in listing_pages(bucket, prefix):
        yield from page


def listing_pages(bucket: str, prefix: str = "") -> Iterator[list[RawFile]]:
    """Yield the same, a page of at most 1,000 at a time."""
    for page in dated_pages(bucket, prefix):
        yield [file for file, _ in page]


def dated_pages(bucket: str, prefix: str = "") -> Iterator[list[tuple[RawFile, datetime]]]:
    """Yield the same with the moment at which each version came."""
    pages = aws.s3().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        entries = [entry for entry in page.get("Versions", []) if not entry.get("Key", "").endswith("/")]
        yield [(from_object(bucket, dict(entry)), entry["LastModified"]) for entry in entries]
