"""Files that were put behind each other, as `cat` does: a byte order mark amid the text, a line without an end.

What is left is a text in which every file begins with a line of its own; its header, once more, is a line that is no
record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lakehouse.ingest.reading.policy import RowPolicy

_MARK: Final = b"\xef\xbb\xbf"  # U+FEFF in UTF-8
_AT_LINE_START = re.compile(rb"(?:\A|(?<=[\r\n]))(?:\xef\xbb\xbf)+")
_BETWEEN_JSON = re.compile(rb"(?<=[}\]])(?:\xef\xbb\xbf)+(?=[{\[])")
_SHORTEST_HEADER: Final = (
    8  # bytes of a header that is looked for within lines: a shorter one may be a text's end
)


def without_marks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a text without byte order marks at line starts; between two values of JSON one becomes a line end."""
    for block in whole_lines(chunks):
        if block.isascii() or _MARK not in block:  # the first takes a tenth of the time
            yield block
            continue
        text = _BETWEEN_JSON.sub(b"\n", block)
        yield _AT_LINE_START.sub(b"", text)


def headers_apart(chunks: Iterator[bytes], header: bytes) -> Iterator[bytes]:
    """Yield a table in which `header`, the line of its names, has a line end before it where it ends another line."""
    if len(header) < _SHORTEST_HEADER:
        yield from chunks
        return
    within_line = re.compile(rb"(?<=[^\r\n])(?:\xef\xbb\xbf)*(" + re.escape(header) + rb")(?=[\r\n]|\Z)")
    for block in whole_lines(chunks):
        yield within_line.sub(rb"\n\1", block) if block.find(header, 1) > 0 else block


def whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a text in blocks of whole lines; a line that is longer than any row may be is cut."""
    rest = b""
    for chunk in chunks:
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r", 0, -1)) + 1  # the last may be half of a pair
        if not end and rest.endswith(b"\r"):
            yield rest  # with a line of its own behind it, or the other half of the pair
            rest = b""
        if not end and len(rest) + len(chunk) > RowPolicy.max_bytes:
            end = len(chunk)
        if end:
            yield b"".join((rest, memoryview(chunk)[:end]))  # copied once
            rest = chunk[end:]
        else:
            rest += chunk
    if rest:
        yield rest
