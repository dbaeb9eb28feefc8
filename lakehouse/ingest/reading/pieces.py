"""A raw file as pieces on scratch disk: plain text or Parquet, cut where a row ends, none larger than a set size.

What is too large for memory never is in memory: bytes stream from the store through unpacking and decoding into the
piece that is being written, and each piece is read, and deleted, before many more are written.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from lakehouse.errors import BadFile
from lakehouse.ingest.reading.delimited_header import read_header
from lakehouse.ingest.reading.line_ends import json_lines
from lakehouse.ingest.reading.piece import Layout, Piece
from lakehouse.ingest.reading.policy import HeaderPolicy, PiecePolicy
from lakehouse.ingest.reading.text_cutter import cut_text
from lakehouse.landing.unpack import members
from lakehouse.sources.formats import json_records, parquet, sheets
from lakehouse.sources.formats.byte_stream import peek, without_first
from lakehouse.sources.formats.encoding import as_utf8
from lakehouse.sources.formats.file_kind import Kind, detect_kind
from lakehouse.sources.headers import header_row

if TYPE_CHECKING:
    from lakehouse.sources.definition import SourceColumn

_ARRAY_OF_NO_RECORDS = re.compile(rb"\s*\[(?!\s*(?:\{|\]\s*\Z))")


class ReadingRules(Protocol):
    """What must be known of a file beside its bytes; a source's definition says it, see there."""

    @property
    def format(self) -> Literal["csv", "ndjson"]:
        """Return what text is where its bytes do not tell: a table, or lines of JSON."""

    @property
    def encoding(self) -> str | None:
        """Return the encoding of text, where that is neither Unicode nor GB 18030."""

    @property
    def sheet(self) -> str | None:
        """Return the name of a workbook's sheet that is not the first."""

    @property
    def columns(self) -> Sequence[SourceColumn]:
        """Return the columns that a mapping names, by which a table's header is known; none without a mapping."""


def pieces(
    chunks: Iterator[bytes], rules: ReadingRules, folder: Path, *, max_bytes: int | None = None
) -> Iterator[Piece]:
    """Yield the pieces of one raw file, in order, written to `folder`; `max_bytes` of one piece, else the policy's.

    Raises BadFile, also after some pieces, for what cannot be read.
    """
    piece_bytes = max_bytes or PiecePolicy.max_bytes
    numbers = itertools.count()

    def new_path() -> Path:
        return folder / f"{next(numbers):06}.piece"

    is_empty = True
    for member in members(chunks, folder):
        is_empty = False
        yield from _pieces_of_member(member.chunks, rules, new_path, piece_bytes)
    if is_empty:
        raise BadFile("empty_file", "the archive holds no file")


def _pieces_of_member(
    chunks: Iterator[bytes], rules: ReadingRules, new_path: Callable[[], Path], piece_bytes: int
) -> Iterator[Piece]:
    """Yield the pieces of one file of an archive, or of a file that is none."""
    head, chunks = peek(chunks, HeaderPolicy.head_bytes)
    if not head:
        raise BadFile("empty_file", "the file has no bytes")
    packed_kind = _kind(head, rules)
    if packed_kind == "parquet":
        return _parquet_pieces(_spool(chunks, new_path()), piece_bytes)
    if packed_kind == "xlsx":
        text = _sheet_text(_spool(chunks, new_path()), rules)
        return _delimited_pieces(text, rules, new_path, piece_bytes)
    head, text = peek(as_utf8(chunks, rules.encoding), HeaderPolicy.head_bytes)
    kind = _kind(head, rules)
    if kind == "delimited":
        return _delimited_pieces(text, rules, new_path, piece_bytes)
    lines = json_records.as_lines(text) if kind == "json_array" else text
    return cut_text(json_lines(lines), Layout("json_lines"), new_path, piece_bytes)


def _kind(head: bytes, rules: ReadingRules) -> Kind:
    """Return the kind of a file. In one of JSON lines a line that is no JSON, be it the first, costs only itself."""
    holds_json_lines = rules.format == "ndjson"
    try:
        kind = detect_kind(head)
    except BadFile as error:
        if holds_json_lines and error.code == "markup":
            return "json_lines"
        raise
    if not holds_json_lines:
        return kind
    if kind == "delimited" or (kind == "json_array" and _ARRAY_OF_NO_RECORDS.match(head)):
        return "json_lines"
    return kind


def _spool(chunks: Iterator[bytes], path: Path) -> Path:
    """Write a file to disk for a reader that jumps in it."""
    with path.open("wb") as file:
        file.writelines(chunks)
    return path


def _sheet_text(path: Path, rules: ReadingRules) -> Iterator[bytes]:
    """Yield the sheet of a workbook as CSV."""

    def recognised_header(rows: Sequence[Sequence[str]]) -> int | None:
        return header_row(rows, rules.columns)

    return sheets.as_csv(path, rules.sheet, recognised_header)


def _parquet_pieces(path: Path, piece_bytes: int) -> Iterator[Piece]:
    """Yield pieces by row numbers: DuckDB skips the row groups that a piece does not need."""
    rows = parquet.check(path)
    piece_count = -(-path.stat().st_size // piece_bytes)
    rows_a_piece = max(1, -(-rows // piece_count))
    for row_offset in range(0, rows, rows_a_piece):
        piece_rows = min(rows_a_piece, rows - row_offset)
        yield Piece(path, Layout("parquet"), piece_bytes, row_count=piece_rows, row_offset=row_offset)


def _delimited_pieces(
    text: Iterator[bytes], rules: ReadingRules, new_path: Callable[[], Path], piece_bytes: int
) -> Iterator[Piece]:
    head, text = peek(text, HeaderPolicy.head_bytes)
    header = read_header(head, rules.columns)
    layout = Layout("delimited", header.delimiter, header.names)
    return cut_text(without_first(header.bytes_above, text), layout, new_path, piece_bytes)
