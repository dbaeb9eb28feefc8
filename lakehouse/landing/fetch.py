"""Streams a raw file's bytes from object storage: that very version, or the word that it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import BadFile
from lakehouse.landing.raw_files import RawFile

CHUNK = 1 << 20
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "PreconditionFailed", "412"})


def chunks(file: RawFile) -> Iterator[bytes]:
    """Yield the file's bytes, a MiB at a time.

    Raises BadFile (object_gone) when it was deleted or replaced since it was announced; botocore's errors for what
    may pass, also in the middle: a body that ends early is one.
    """
    place: dict[str, Any] = {"Bucket": file.bucket, "Key": file.key}
    # Without versions, whoever comes late finds other bytes under the key. They are another file's.
    place |= {"IfMatch": f'"{file.version}"'} if file.is_etag else {"VersionId": file.version}
    try:
        body = aws.s3().get_object(**place)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise BadFile("object_gone", "the object was deleted or replaced before it was read") from error
        raise
    try:
        yield from body.iter_chunks(CHUNK)
    finally:
        body.close()
