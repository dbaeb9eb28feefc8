"""What is done to a file's bytes while they stream by in chunks: look ahead, leave out, join."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator


def peek(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `size` bytes, or as many as there are, and all chunks again, empty ones left out."""
    read_chunks: list[bytes] = []
    length = 0
    while length < size and (chunk := next(chunks, None)) is not None:
        read_chunks.append(chunk)
        length += len(chunk)
    return b"".join(read_chunks)[:size], itertools.chain(filter(None, read_chunks), chunks)


def without_first(count: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks without the first `count` bytes, and without empty ones."""
    for chunk in chunks:
        rest = chunk[count:] if count else chunk
        count -= len(chunk) - len(rest)
        if rest:
            yield rest


def joined(items: Iterable[bytes], size: int, end: bytes = b"") -> Iterator[bytes]:
    """Yield chunks of `size` bytes or a little more, each made of whole items with `end` behind each.

    A loop of its own, and not `batches`: items are lines, so many that weighing each would cost as much as reading it.
    """
    end_length = len(end)
    chunk: list[bytes] = []
    length = 0
    for item in items:
        chunk.append(item)
        length += len(item) + end_length
        if length >= size:
            chunk.append(b"")
            yield end.join(chunk)
            chunk, length = [], 0
    if chunk:
        chunk.append(b"")
        yield end.join(chunk)
