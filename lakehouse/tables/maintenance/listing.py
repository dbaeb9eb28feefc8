"""Every file below a table's location, in a folder or in object storage: all of them, or an error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from lakehouse import aws
from lakehouse.errors import Terminal


@dataclass(frozen=True)
class StoredFile:
    """A file as the store shows it; `path` is written as the table's metadata would."""

    path: str
    bytes: int
    modified: datetime


def stored_files(location: str) -> Iterator[StoredFile]:
    """Yield every file below a location (`file:` or `s3:`); raises where a part of it cannot be listed.

    Raises Terminal for a location of another kind.
    """
    url = urlsplit(location)
    if url.scheme in ("file", ""):
        return _in_folder(location.rstrip("/"), url.path.rstrip("/"))
    if url.scheme in ("s3", "s3a", "s3n"):
        return _in_bucket(location.rstrip("/"), url.netloc, url.path.strip("/"))
    raise Terminal(f"{location}: files can be listed in folders and in S3 only")


def _in_folder(location: str, folder: str) -> Iterator[StoredFile]:
    def fail(error: OSError) -> None:
        raise error

    for subfolder, _, names in os.walk(folder, onerror=fail):
        for name in names:
            path = Path(subfolder) / name
            try:
                status = path.stat()
            except FileNotFoundError:  # somebody deleted it meanwhile
                continue
            modified = datetime.fromtimestamp(status.st_mtime, UTC)
            yield StoredFile(location + str(path).removeprefix(folder), status.st_size, modified)


def _in_bucket(location: str, bucket: str, prefix: str) -> Iterator[StoredFile]:
    pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    for page in pages:
        for entry in page.get("Contents", []):
            path = location + entry["Key"].removeprefix(prefix)
            yield StoredFile(path, entry["Size"], entry["LastModified"])
