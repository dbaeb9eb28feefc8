"""Brings a raw file to scratch disk, whole and decompressed, or says why it cannot be read.

DuckDB reads a gzip that breaks off in the middle without a word, and returns the rows before the break. So the
bytes are inflated here, where length and checksum are verified.
"""

from __future__ import annotations

import gzip
import shutil
import zlib
from pathlib import Path

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import BadFile
from lakehouse.landing.files import RawFile

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "PreconditionFailed", "412"})


def fetch(file: RawFile, folder: Path) -> Path:
    """Return the path of the file's decompressed bytes in `folder`.

    Raises BadFile: empty_file, truncated_gzip, object_gone (deleted or replaced since it was announced).
    """
    raw = folder / f"{file.file_id}.raw"
    place = {"Bucket": file.bucket, "Key": file.key}
    # Without versions, whoever comes late finds other bytes under the key. They are another file's.
    place |= {"IfMatch": f'"{file.version}"'} if file.is_etag else {"VersionId": file.version}
    try:
        body = aws.s3().get_object(**place)["Body"]  # type: ignore[arg-type]
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise BadFile("object_gone", "the object was deleted or replaced before it was read") from error
        raise
    with raw.open("wb") as out:
        for chunk in body.iter_chunks(_CHUNK):
            out.write(chunk)
    if raw.stat().st_size == 0:
        raise BadFile("empty_file", "the file has no bytes")
    with raw.open("rb") as start:
        if start.read(2) != _GZIP:
            return raw
    plain = folder / f"{file.file_id}.plain"
    try:
        with gzip.open(raw, "rb") as source, plain.open("wb") as out:
            shutil.copyfileobj(source, out, _CHUNK)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        plain.unlink(missing_ok=True)
        raise BadFile(
            "truncated_gzip", "the gzip breaks off or its checksum is wrong; none of it was read"
        ) from error
    finally:
        raw.unlink(missing_ok=True)
    if plain.stat().st_size == 0:
        plain.unlink()
        raise BadFile("empty_file", "the file has no bytes once decompressed")
    return plain
