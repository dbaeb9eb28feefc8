"""Streams a raw file's bytes from object storage: those of that very version, or an error that it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import BadFile
from lakehouse.landing.policy import ReadPolicy
from lakehouse.landing.raw_files import RawFile

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "PreconditionFailed", "412"})


def chunks(file: RawFile) -> Iterator[bytes]:
    """Yield the file's bytes, a MiB at a time.

    Raises BadFile (object_gone) when it was deleted or replaced since it was announced; botocore's errors for what
    may pass, also in the middle: a body that ends early is one.
    """
    try:
        body = aws.s3().get_object(**request_of(file))["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise BadFile("object_gone", "the object was deleted or replaced before it was read") from error
        raise
    try:
        yield from body.iter_chunks(ReadPolicy.chunk_bytes)
    finally:
        body.close()


def request_of(file: RawFile) -> dict[str, Any]:
    """Return the request for the bytes of that version and no other."""
    request = {"Bucket": file.bucket, "Key": file.key}
    if file.is_etag:  # without versions, a later writer's bytes stand under the key: they are another file's
        return request | {"IfMatch": f'"{file.version}"'}
    return request | {"VersionId": file.version}
