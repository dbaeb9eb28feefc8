"""Files of the sample: what was written, and how, so that the same seed gives the same bytes."""

from __future__ import annotations

import csv
import gzip
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class SampleFile:
    """One raw file, ready to be put as `source/entity`; `rows` counts data rows, good and bad."""

    source: str
    entity: str
    path: Path
    rows: int


def stream(seed: int, part: str) -> random.Random:
    """Randomness for one part alone, so that a change in one part does not shift another."""
    return random.Random(f"{seed}/{part}")  # noqa: S311 - sample data, no secret


def columns(header: str) -> list[str]:
    """Return the column names of a header line."""
    return header.split(",")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], *, quote_all: bool) -> None:
    """Write UTF-8 without a byte order mark, a header first, lines ended by a line feed."""
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(
            text, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL, lineterminator="\n"
        )
        writer.writerow(header)
        writer.writerows(rows)


def write_gzip_lines(path: Path, lines: Sequence[str]) -> None:
    """Write lines as gzip without a name or a time in its header: equal lines give equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 3, raw, mtime=0) as packed:
        for start in range(0, len(lines), 1000):
            packed.write(("\n".join(lines[start : start + 1000]) + "\n").encode())
