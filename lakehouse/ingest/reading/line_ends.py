"""Line ends. DuckDB reads text fast where every row ends alike; this finds out whether it does.

Where rows end in several ways its reader gives up, and where lines are blank its row numbers are wrong: `sound_rows`
reads those.
"""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.ingest.reading.byte_counts import count_byte, has_twice_in_row

# The character that lines of JSON are not cut at. None of them holds it: `json_lines` sees to that.
NO_DELIMITER = "\x01"


class LineEnds:
    """In which ways the lines of a text end, and whether one is blank; the text comes chunk by chunk."""

    def __init__(self) -> None:
        self._kinds: set[bytes] = set()
        self._has_blank_line = False
        self._tail = b"\n"  # the last two bytes; so begun, an empty first line is a blank one

    def add(self, chunk: bytes) -> None:
        """Look at the next bytes of the text; they may be cut anywhere, also within a pair of CR and LF."""
        seam = self._tail + chunk[:2]
        self._has_blank_line = self._has_blank_line or b"\n\n" in seam or has_twice_in_row(chunk, b"\n")
        if b"\r" in seam or b"\r" in chunk:
            blanks = (b"\n\r\n", b"\r\r")
            self._has_blank_line = self._has_blank_line or any(
                blank in text for blank in blanks for text in (seam, chunk)
            )
            self._add_kinds(b"\r" + chunk if self._tail.endswith(b"\r") else chunk)
        elif b"\n" in chunk:
            self._kinds.add(b"\n")
        self._tail = (self._tail + chunk[-2:])[-2:]

    def _add_kinds(self, text: bytes) -> None:
        pairs = text.count(b"\r\n")
        last_may_be_half_a_pair = text.endswith(b"\r")
        counts = {
            b"\r\n": pairs,
            b"\r": count_byte(text, b"\r") - pairs - last_may_be_half_a_pair,
            b"\n": count_byte(text, b"\n") - pairs,
        }
        self._kinds |= {kind for kind, count in counts.items() if count > 0}

    @property
    def common(self) -> str:
        """Return what every line ends with; nothing where lines end in several ways, or one is blank."""
        kinds = self._kinds | {b"\r"} if self._tail.endswith(b"\r") else self._kinds
        if self._has_blank_line or len(kinds) > 1:
            return ""
        return next(iter(kinds), b"\n").decode()


def json_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the text with a newline at the end of every line, in place of a carriage return or both.

    JSON forbids both within a string, and other control characters too: a line with one is bad, and stays so when
    NO_DELIMITER in it becomes another.
    """
    half_pair = b""
    for chunk in chunks:
        data = half_pair + chunk if half_pair else chunk
        half_pair = b""
        if b"\r" in data:
            if data.endswith(b"\r"):
                half_pair, data = b"\r", data[:-1]
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\x01" in data:
            data = data.replace(b"\x01", b"\x02")
        if data:
            yield data
    if half_pair:
        yield b"\n"
