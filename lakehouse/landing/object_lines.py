"""The lines of an object, one at a time, however large it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lakehouse import aws

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 20
_GONE = frozenset({"NoSuchKey", "404", "NotFound"})


def lines(bucket: str, key: str) -> Iterator[bytes]:
    """Yield the lines of an object that hold anything, without their newlines; none where there is no object."""
    try:
        body = aws.s3().get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return
        raise
    left: list[bytes] = []
    for chunk in body.iter_chunks(_CHUNK):
        first, *others = chunk.split(b"\n")
        left.append(first)
        if others:
            yield from (line for line in (b"".join(left), *others[:-1]) if line.strip())
            left = [others[-1]]
    if line := b"".join(left).strip():
        yield line
