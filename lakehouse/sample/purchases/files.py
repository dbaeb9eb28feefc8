"""Files of the sample: what was written, and how, so that the same seed gives the same bytes."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lakehouse.batching import batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_GZIP_LEVEL: Final = 3  # another one changes the bytes
_LINES_A_WRITE: Final = 1_000


@dataclass(frozen=True)
class SampleFile:
    """One raw file, ready to be put as `source/entity`; `rows` counts data rows, good and bad."""

    source: str
    entity: str
    path: Path
    rows: int


def columns(header: str) -> list[str]:
    """Return the column names of a header line."""
    return header.split(",")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], *, quote_all: bool) -> None:
    """Write UTF-8 without a byte order mark, a header first, lines ended by a line feed."""
    quoting: Final = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, quoting=quoting, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_gzip_lines(path: Path, lines: Sequence[str]) -> None:
    """Write lines as gzip without a name or a time in its header: equal lines give equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as packed:
        for batch in batches(lines, count=_LINES_A_WRITE):
            packed.write(("\n".join(batch) + "\n").encode())
