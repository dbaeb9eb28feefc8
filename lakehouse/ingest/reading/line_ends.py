"""Line ends. DuckDB reads text fast where every row ends alike; this makes it so.

Where rows end in several ways its reader gives up, and where lines are blank its counting of rows goes astray.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

MAX_LINE = 4 << 20  # bytes of the longest row that is read


# The character that lines of JSON are not cut at. None of them holds it: `json_lines` sees to that.
NO_DELIMITER = "\x01"


def json_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the text with a newline at the end of every line, in place of a carriage return or both.

    JSON forbids both within a string, and other control characters too: a line with one is bad, and stays so when
    NO_DELIMITER in it becomes another.
    """
    held = b""
    for chunk in chunks:
        data = held + chunk if held else chunk
        held = b""
        if b"\r" in data:
            if data.endswith(b"\r"):  # may be half of a pair
                held, data = b"\r", data[:-1]
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\x01" in data:
            data = data.replace(b"\x01", b"\x02")
        if data:
            yield data
    if held:
        yield b"\n"


def even_rows(path: Path, delimiter: str) -> Path:
    """Return a file of the same rows, each as it was and one newline after it, without blank lines."""
    cut = re.escape(delimiter.encode())
    plain = rb"[^" + cut + rb"\r\n]*+"
    # A field that begins with a quote may hold line ends and delimiters until its closing quote.
    quoted = rb'(?:[ ]*"(?:[^"]++|"")*+"' + plain + rb"|" + plain + rb")"
    row = re.compile(rb"(" + quoted + rb"(?:" + cut + quoted + rb")*+)(?:\r\n|\n|\r|\Z)")
    even = path.with_suffix(".even")
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        even.open("wb") as out,
    ):
        out.writelines(found[1] + b"\n" for found in row.finditer(content) if found[1])
    return even
