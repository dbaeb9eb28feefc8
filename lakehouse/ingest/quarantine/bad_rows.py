"""Bad rows and bad files as objects under `quarantine/`, written before the commit that counts them.

Generation n of a file (0 is its first load) leaves them in `quarantine/<file_id>/<n>/<digest>.json`, and its commit
names the digest. So an attempt that read the file otherwise, or one that died and whose write comes late, has an
object of its own.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from boto3.s3.transfer import TransferConfig

from lakehouse import aws
from lakehouse.ingest.policy import QuarantinePolicy
from lakehouse.landing.object_lines import lines
from lakehouse.landing.raw_files import RawFile
from lakehouse.tables.commit import FileRecord, generation_id

PREFIX = "quarantine/"
_CONTENT_TYPE = "application/x-ndjson"
_DIGEST_BITS: Final = 64  # of stored digests: eight bytes of each row's hash are summed


@dataclass(frozen=True)
class BadRow:
    """A row that could not be loaded: its number in the file, from 1, or None for the whole file; why; as it came."""

    row: int | None
    code: str
    reason: str
    original: str | None = None


class Digest:
    """Which rows were set aside, in a few characters, whatever their order: how many, and a sum over their hashes."""

    def __init__(self) -> None:
        self._count = self._sum = 0

    def add(self, row: int | None) -> None:
        """Add the number of a row in its file; None is the whole file."""
        self._count += 1
        row_hash = hashlib.sha256(str(row).encode()).digest()
        self._sum += int.from_bytes(row_hash[: _DIGEST_BITS // 8])

    def __str__(self) -> str:
        return f"{self._count}-{self._sum % (1 << _DIGEST_BITS):016x}"


def object_key(file_id: str, replay: int, set_aside: str) -> str:
    """Return the key of what one generation of a file left; old commits do not say what they set aside."""
    if not set_aside:
        return f"{PREFIX}{generation_id(file_id, replay)}.json"
    return f"{PREFIX}{file_id}/{replay}/{set_aside}.json"


def write(
    bucket: str, file: RawFile, rows: Iterable[BadRow], at: str, replay: int = 0, scratch: Path | None = None
) -> str:
    """Write what one generation of a file leaves as NDJSON, and return its digest for `FileRecord.set_aside`.

    `at` is the time, in ISO 8601. Writing the same rows again gives the same object. Rows pass through a temporary
    file (in `scratch`), never all of them through memory; no rows make an empty object.
    """
    digest = Digest()
    file_fields = _file_fields(file, replay)
    folder = str(scratch) if scratch else None
    with tempfile.SpooledTemporaryFile(
        max_size=QuarantinePolicy.write_memory_bytes, dir=folder, prefix="quarantine-"
    ) as body:
        for row in rows:
            digest.add(row.row)
            entry = file_fields | _row_fields(row) | {"quarantined_at": at}
            line = json.dumps(entry, ensure_ascii=False) + "\n"
            body.write(line.encode("utf-8", "replace"))
        _put(bucket, object_key(file.file_id, replay, str(digest)), body)
    return str(digest)


def _file_fields(file: RawFile, replay: int) -> dict[str, Any]:
    """Return what every line of a file's quarantine object says."""
    source, entity = file.source_key
    return {
        "file_id": file.file_id,
        "replay": replay,
        "bucket": file.bucket,
        "key": file.key,
        "version": file.version,
        "source": source,
        "entity": entity,
    }


def _row_fields(row: BadRow) -> dict[str, Any]:
    return {"row": row.row, "code": row.code, "reason": row.reason, "original": row.original}


def _put(bucket: str, key: str, body: IO[bytes]) -> None:
    """Upload what was written to `body`, in one request or, larger, part after part."""
    size = body.tell()
    body.seek(0)
    if size <= QuarantinePolicy.single_put_bytes:
        aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=_CONTENT_TYPE)
    else:
        one_part_at_a_time = TransferConfig(use_threads=False)
        extra = {"ContentType": _CONTENT_TYPE}
        aws.s3().upload_fileobj(body, bucket, key, ExtraArgs=extra, Config=one_part_at_a_time)


def read(bucket: str, record: FileRecord) -> Iterator[dict[str, Any]]:
    """Yield what one generation of a file left, a row at a time; nothing where it left nothing."""
    yield from map(json.loads, lines(bucket, object_key(record.file_id, record.replay, record.set_aside)))
