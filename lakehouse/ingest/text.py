"""What kind of text a file is, told from its bytes, and the same text with its rows clearly apart.

DuckDB reads CSV fast where every row ends alike. Where rows end in several ways it gives up, and where lines are
blank its counting of rows goes astray. Such files are rewritten first: row by row, each as it was.
"""

from __future__ import annotations

import mmap
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import BadFile

HEAD = 1 << 16
_CHUNK = 1 << 20
_CONTROLS = bytes((*range(1, 9), *range(14, 32)))  # NUL apart, and what separates lines and words
_OTHERS = bytes(set(range(256)) - set(_CONTROLS))


@dataclass(frozen=True)
class Text:
    """A text file. `head`: what it begins with, without byte order mark; `spare`: a character that it lacks."""

    path: Path
    head: str
    spare: str
    line_ends_vary: bool
    blank_lines: bool


def survey(path: Path) -> Text:
    """Look through a file; raises BadFile (not_text) for a binary one, or one in UTF-16."""
    found: set[int] = set()
    blank = newlines = False
    lines = returns = pairs = 0
    with path.open("rb") as file:
        start = file.read(HEAD)
        file.seek(0)
        before = b"\n"  # so that an empty first line is a blank one
        while chunk := file.read(_CHUNK):
            found.update(chunk.translate(None, _OTHERS))
            joined = before + chunk
            blank = blank or b"\n\n" in joined
            if b"\r" in joined:
                blank = blank or b"\n\r\n" in joined or b"\r\r" in joined
                lines += chunk.count(b"\n")
                returns += chunk.count(b"\r")
                pairs += chunk.count(b"\r\n") + (before.endswith(b"\r") and chunk.startswith(b"\n"))
            else:  # most files, and most of every file
                newlines = newlines or b"\n" in chunk
            before = joined[-2:]
    spare = next((byte for byte in _CONTROLS if byte not in found), None)
    if spare is None:
        raise BadFile("not_text", "the file holds every control character: it is binary")
    alike = returns == 0 or (not newlines and (lines == 0 or lines == returns == pairs))
    return Text(path, _decoded(start), chr(spare), not alike, blank)


def _decoded(start: bytes) -> str:
    zeros = start.count(0)
    if zeros * 100 > len(start):
        raise BadFile("not_text", "the file is full of NUL bytes: a binary file, or text in UTF-16")
    try:
        return start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(start) - 4 and len(start) == HEAD:  # cut within the last character
            return start[: error.start].decode("utf-8-sig")
        text = start.decode("utf-8-sig", "replace")
        controls = zeros + len(start.translate(None, _OTHERS))
        if text.count("\N{REPLACEMENT CHARACTER}") * 10 > len(text) and controls * 20 > len(text):
            raise BadFile("not_text", "the file is binary") from error
        return text


def with_even_rows(text: Text, delimiter: str) -> Path:
    """Return a file of the same CSV rows, each as it was and one newline after it, without blank lines."""
    cut = re.escape(delimiter.encode())
    plain = rb"[^" + cut + rb"\r\n]*+"
    # A field that begins with a quote may hold line ends and delimiters until its closing quote.
    field = rb'(?:[ ]*"(?:[^"]++|"")*+"' + plain + rb"|" + plain + rb")"
    row = re.compile(rb"(" + field + rb"(?:" + cut + field + rb")*+)(?:\r\n|\n|\r|\Z)")
    even = text.path.with_suffix(".even")
    with (
        text.path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        even.open("wb") as out,
    ):
        out.writelines(found[1] + b"\n" for found in row.finditer(content) if found[1])
    return even


def with_even_lines(text: Text) -> Path:
    """Return a file of the same lines, each ended by one newline."""
    even = text.path.with_suffix(".even")
    # Latin-1 gives every byte back as it was; Python's own reading knows all three ways to end a line.
    with (
        text.path.open(encoding="latin-1") as lines,
        even.open("w", encoding="latin-1", newline="\n") as out,
    ):
        shutil.copyfileobj(lines, out, _CHUNK)
    return even
