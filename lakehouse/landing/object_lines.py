"""The lines of an object, one at a time, however large it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.landing.policy import ReadPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GONE = frozenset({"NoSuchKey", "404", "NotFound"})


def lines(bucket: str, key: str) -> Iterator[bytes]:
    """Yield the lines of an object that hold anything, without their newlines; none where there is no object."""
    try:
        body = aws.s3().get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return
        raise
    for line in split_lines(body.iter_chunks(ReadPolicy.chunk_bytes)):
        if line.strip():
            yield line


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a text that comes in chunks, without their newlines; the last one without blanks around it.

    Memory holds one chunk and the longest line.
    """
    unfinished: list[bytes] = []  # pieces of the line that the chunks so far have not ended
    for chunk in chunks:
        end, *later_lines = chunk.split(b"\n")
        unfinished.append(end)
        if later_lines:
            yield b"".join(unfinished)
            yield from later_lines[:-1]
            unfinished = [later_lines[-1]]
    yield b"".join(unfinished).strip()
