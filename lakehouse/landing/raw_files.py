"""What a raw file is: an object version under `<source>/<entity>/` in the landing bucket."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lakehouse import aws

_SOURCE_KEY = re.compile(r"(?P<source>[a-z0-9][a-z0-9_]*)/(?P<entity>[a-z0-9][a-z0-9_]*)/")


@dataclass(frozen=True)
class RawFile:
    """One version of one object. `version` is the version id, or the etag where the bucket keeps no versions.

    `arrival` says by its order which of two files came first: the time in UTC, then what the store counts by within
    one moment; empty where nobody said. It is no part of what the file is.
    """

    bucket: str
    key: str
    version: str
    size: int
    is_etag: bool = False
    arrival: str = field(default="", compare=False)

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
        message = {"bucket": self.bucket, "key": self.key, name: self.version, "size": self.size}
        return message | ({"arrival": self.arrival} if self.arrival else {})


def arrival(time: datetime | str | None, sequencer: str | None = None) -> str:
    """Return a text by whose order files came; `time` is one that S3 gives, empty without it or where it is none."""
    if time is None:
        return ""
    try:
        moment = datetime.fromisoformat(time) if isinstance(time, str) else time
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f} {sequencer or ''}".rstrip()
    except (ValueError, OverflowError):
        return ""


def from_object(bucket: str, entry: dict[str, Any], came: str = "") -> RawFile:
    """Make a RawFile from what S3 says of an object: an event's `object`, a listing's entry, a queue message."""
    key = _value(entry, "key", "Key") or ""
    version = _value(entry, "version-id", "version_id", "VersionId")
    etag = str(_value(entry, "etag", "ETag") or "").strip('"')
    size = int(_value(entry, "size", "Size") or 0)
    if version and version != "null":
        return RawFile(bucket, key, version, size, arrival=came)
    return RawFile(bucket, key, etag, size, is_etag=True, arrival=came)


def _value(entry: dict[str, Any], *names: str) -> Any:
    """Return the first value that an entry has under one of several names; None where it has none."""
    values = (entry.get(name) for name in names)
    return next(filter(None, values), None)


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
        yield [
            (from_object(bucket, dict(entry), arrival(entry["LastModified"])), entry["LastModified"])
            for entry in entries
        ]
