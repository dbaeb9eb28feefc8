"""Lands files from disk. The key holds the content's hash, so that the same file put twice lands once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import Terminal

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*/[a-z0-9][a-z0-9_]*")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Landed:
    """A file that was put; `fresh` is False where the same content was there already."""

    key: str
    bytes: int
    fresh: bool


def put(bucket: str, place: str, path: Path, *, progress: Callable[[int], None] | None = None) -> Landed:
    """Land one file under `place` (`source/entity`).

    `progress` hears of the bytes sent. Raises `Terminal` for a place or path that cannot be landed.
    """
    if not _NAME.fullmatch(place):
        raise Terminal(f"{place!r} is not SOURCE/ENTITY, like web/events (lower-case letters, digits, _)")
    if not path.is_file():
        raise Terminal(f"{path}: no such file")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    key = f"{place}/{digest.hexdigest()[:16]}/{path.name}"
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            aws.s3().put_object(Bucket=bucket, Key=key, Body=file, IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("PreconditionFailed", "412"):
            raise
        return Landed(key, size, fresh=False)
    finally:
        if progress is not None:
            progress(size)
    return Landed(key, size, fresh=True)
