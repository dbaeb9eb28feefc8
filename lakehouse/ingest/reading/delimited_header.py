"""How a delimited text begins: its delimiter, the names in its header, and the titles that stand above them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.errors import BadFile
from lakehouse.ingest.reading.policy import HeaderPolicy
from lakehouse.sources.headers import distinct, header_row
from lakehouse.sources.policy import HeaderSearchPolicy

if TYPE_CHECKING:
    from lakehouse.sources.definition import SourceColumn

_DELIMITERS = ",;\t|"  # of two that occur equally often, the first counts
_UNNAMED = "_"
_EXCEL_LINE = re.compile(
    rb"""["']?sep=(?P<delimiter>[^\w"'\r\n])["']?[,;\t|]*(?:\r\n|\r|\n)""", re.IGNORECASE
)
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


@dataclass(frozen=True)
class DelimitedHeader:
    """How a delimited text begins: `names` of its columns, each once; `bytes_above` the `line` that holds them."""

    delimiter: str
    names: tuple[str, ...]
    bytes_above: int
    line: bytes


@dataclass(frozen=True)
class _Row:
    """A row of the head: its cells, and how many lines of the head there are up to its end."""

    cells: list[str]
    lines_to_end: int


@dataclass(frozen=True)
class _FirstRows:
    """The first rows as one delimiter splits them, and the index of the header among them, if it is recognised."""

    delimiter: str
    rows: list[_Row]
    header_index: int | None


def read_header(head: bytes, columns: Sequence[SourceColumn] = ()) -> DelimitedHeader:
    """Return how a text begins, from its first bytes and the columns that a mapping names.

    The header is the row that `header_row` recognises by the mapping, else the first line that is not blank. A line
    `sep=;` above it tells spreadsheets the delimiter, and is none. Raises BadFile: empty_file, bad_header (too long, no
    CSV, NUL in a name), too_many_columns, duplicate_column.
    """
    excel_line = _EXCEL_LINE.match(head)
    bytes_above = excel_line.end() if excel_line else 0
    raw_lines = _LINE.findall(head[bytes_above:])
    lines = [line.decode("utf-8", "replace") for line in raw_lines]
    if excel_line:
        first_rows = _split_by(excel_line["delimiter"].decode("utf-8", "replace"), lines, columns)
    else:
        first_rows = _split(lines, columns)
    if not first_rows.rows:
        raise BadFile("empty_file", "the file has no header and no rows")
    header_index = first_rows.header_index or 0
    lines_above = first_rows.rows[header_index - 1].lines_to_end if header_index else 0
    names = [cell.strip() or _UNNAMED for cell in first_rows.rows[header_index].cells]
    _refuse_unreadable(names)
    header_lines = raw_lines[lines_above : first_rows.rows[header_index].lines_to_end]
    return DelimitedHeader(
        delimiter=first_rows.delimiter,
        names=tuple(distinct(names, columns)),
        bytes_above=bytes_above + sum(map(len, raw_lines[:lines_above])),
        line=b"".join(header_lines).strip(b"\r\n"),
    )


def _split(lines: list[str], columns: Sequence[SourceColumn]) -> _FirstRows:
    """Return the first rows by the delimiter that the first line is full of, or by one that shows the header.

    The first line may be a title, in which the delimiter need not occur: then all delimiters are tried.
    """
    likely = _split_by(_most_frequent_delimiter(lines), lines, columns)
    if likely.header_index is not None or not columns:
        return likely
    for delimiter in _DELIMITERS:
        other = _split_by(delimiter, lines, columns)
        if other.header_index is not None:
            return other
    return likely


def _most_frequent_delimiter(lines: list[str]) -> str:
    """Return the delimiter that is most frequent in the first line that is not blank; BadFile if that is too long."""
    contents = (line.strip("\r\n") for line in lines)
    first_line = next((content for content in contents if content), "")
    if len(first_line.encode()) >= HeaderPolicy.head_bytes:
        raise BadFile("bad_header", f"the header is longer than {HeaderPolicy.head_bytes >> 10} KiB")
    return max(_DELIMITERS, key=first_line.count)


def _split_by(delimiter: str, lines: list[str], columns: Sequence[SourceColumn]) -> _FirstRows:
    rows = _first_rows(lines, delimiter)
    return _FirstRows(delimiter, rows, header_row([row.cells for row in rows], columns))


def _first_rows(lines: list[str], delimiter: str) -> list[_Row]:
    """Return the first rows that are not blank; those before one that is no CSV, BadFile where that is the first."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    rows: list[_Row] = []
    try:
        for cells in reader:
            if cells:
                rows.append(_Row(cells, reader.line_num))
            if len(rows) == HeaderSearchPolicy.rows_searched:
                break
    except csv.Error as error:
        if not rows:
            raise BadFile("bad_header", "the header is no CSV") from error
    return rows


def _refuse_unreadable(names: list[str]) -> None:
    limit = HeaderPolicy.max_columns
    if len(names) > limit:
        raise BadFile("too_many_columns", f"the header has {len(names)} columns; {limit} are read")
    if any("\0" in name for name in names):
        raise BadFile("bad_header", "a name in the header holds NUL")
