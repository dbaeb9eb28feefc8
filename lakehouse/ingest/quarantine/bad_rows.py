"""Bad rows and bad files as objects under `quarantine/`, written before the commit that counts them.

Generation n of a file (0 is its first load) leaves them in `quarantine/<file_id>/<n>/<digest>.json`, and its commit
names the digest: attempts that met the file otherwise, or a write of a dead one that comes late, have an object of
their own.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from boto3.s3.transfer import TransferConfig

from lakehouse import aws
from lakehouse.landing.object_lines import lines
from lakehouse.landing.raw_files import RawFile
from lakehouse.tables.commit import FileRecord, generation_id

PREFIX = "quarantine/"
_IN_MEMORY = 1 << 20
_IN_ONE_PUT = 64 << 20
_TYPE = "application/x-ndjson"


@dataclass(frozen=True)
class BadRow:
    """One thing that could not be loaded; `row` is None when it is the whole file."""

    row: int | None
    code: str
    reason: str
    original: str | None = None


class Digest:
    """Which rows were set aside, in a few characters, whatever their order: how many, and a sum over their places."""

    def __init__(self) -> None:
        self._count = self._sum = 0

    def add(self, row: int | None) -> None:
        """Take one row in; None is the whole file."""
        self._count += 1
        self._sum += int.from_bytes(hashlib.sha256(str(row).encode()).digest()[:8])

    def __str__(self) -> str:
        return f"{self._count}-{self._sum % (1 << 64):016x}"


def key_of(file_id: str, replay: int, set_aside: str) -> str:
    """Return the key of what one generation of a file left; old commits do not say what they set aside."""
    if not set_aside:
        return f"{PREFIX}{generation_id(file_id, replay)}.json"
    return f"{PREFIX}{file_id}/{replay}/{set_aside}.json"


def write(
    bucket: str, file: RawFile, rows: Iterable[BadRow], at: str, replay: int = 0, scratch: Path | None = None
) -> str:
    """Write what one generation of a file leaves as NDJSON, and return its digest for `FileRecord.set_aside`.

    Writing the same rows again gives the same object. Rows pass through a temporary file (in `scratch`), never all of
    them through memory; no rows make an empty object.
    """
    source, entity = file.source_key
    head = {
        "file_id": file.file_id,
        "replay": replay,
        "bucket": file.bucket,
        "key": file.key,
        "version": file.version,
        "source": source,
        "entity": entity,
    }
    digest = Digest()
    folder = str(scratch) if scratch else None
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=folder, prefix="quarantine-") as body:
        for row in rows:
            digest.add(row.row)
            told = {"row": row.row, "code": row.code, "reason": row.reason, "original": row.original}
            line = json.dumps(head | told | {"quarantined_at": at}, ensure_ascii=False) + "\n"
            body.write(line.encode("utf-8", "replace"))
        _put(bucket, key_of(file.file_id, replay, str(digest)), body)
    return str(digest)


def _put(bucket: str, key: str, body: IO[bytes]) -> None:
    size = body.tell()
    body.seek(0)
    if size <= _IN_ONE_PUT:
        aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=_TYPE)
    else:
        one_part_at_a_time = TransferConfig(use_threads=False)
        aws.s3().upload_fileobj(
            body, bucket, key, ExtraArgs={"ContentType": _TYPE}, Config=one_part_at_a_time
        )


def read(bucket: str, record: FileRecord) -> Iterator[dict[str, Any]]:
    """Yield what one generation of a file left, a row at a time; nothing where it left nothing."""
    yield from map(json.loads, lines(bucket, key_of(record.file_id, record.replay, record.set_aside)))
