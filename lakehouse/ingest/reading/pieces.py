"""A raw file as pieces on scratch disk: plain text or Parquet, cut where a row ends, none larger than a set size.

What is too large for memory never is in memory: bytes stream from the store through unpacking and decoding into the
piece that is being written, and each piece is read, and deleted, before many more are written.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

from lakehouse import telemetry
from lakehouse.errors import BadFile
from lakehouse.ingest.reading.delimited_header import read_header
from lakehouse.ingest.reading.further_tables import marked
from lakehouse.ingest.reading.joined_files import headers_apart, without_marks
from lakehouse.ingest.reading.line_ends import json_lines
from lakehouse.ingest.reading.piece import Layout, Piece, UnreadPart
from lakehouse.ingest.reading.policy import HeaderPolicy, PiecePolicy
from lakehouse.ingest.reading.row_width import most_cells
from lakehouse.ingest.reading.text_cutter import cut_text
from lakehouse.landing.unpack import Member, members
from lakehouse.sources.formats import collected_events, json_records, parquet, sheets, wide_decimals
from lakehouse.sources.formats.byte_stream import peek, without_first
from lakehouse.sources.formats.encoding import as_utf8
from lakehouse.sources.formats.file_kind import Kind, detect_kind
from lakehouse.sources.headers import header_row, match, normal, told_header
from lakehouse.sources.part_names import logged_name, told_name

if TYPE_CHECKING:
    from lakehouse.sources.definition import SourceColumn

# What is wrong with an archive as a whole, or may be.
_OF_WHOLE_ARCHIVE = frozenset(
    {"bomb", "bad_zip", "truncated_zip", "truncated_gzip", "truncated_zstd", "object_gone"}
)
_OF_TABLES = frozenset({"missing_column", "duplicate_column", "bad_header", "too_many_columns"})
_PARTS_TOLD: Final = 20
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
        """Return the name of the one sheet of a workbook that is read; None where all that fit are."""

    @property
    def columns(self) -> Sequence[SourceColumn]:
        """Return the columns that a mapping names, by which a table's header is known; none without a mapping."""


def pieces(
    chunks: Iterator[bytes], rules: ReadingRules, folder: Path, *, max_bytes: int | None = None
) -> Iterator[Piece]:
    """Yield the pieces of one raw file, in order, written to `folder`; `max_bytes` of one piece, else the policy's.

    Raises BadFile, also after some pieces, for what cannot be read.
    """
    yield from _FileReader(rules, folder, max_bytes or PiecePolicy.max_bytes).pieces(chunks)


class _FileReader:
    """Reads one raw file part after part: the members of a zip, the sheets of a workbook, or the file itself.

    Parts are numbered by what the bytes say, whichever of them are read: no mapping changes the number of a row.
    A part that is no table of this source is told, and costs only itself; where no part is one, the file is refused.
    """

    def __init__(self, rules: ReadingRules, folder: Path, piece_bytes: int) -> None:
        self._rules, self._folder, self._piece_bytes = rules, folder, piece_bytes
        self._paths = itertools.count()
        self._parts = 0
        self._layout: Layout | None = None  # of the first part that is read
        self._refused: list[tuple[str | None, int, BadFile]] = []  # name and number of a part, and why

    def pieces(self, chunks: Iterator[bytes]) -> Iterator[Piece]:
        """Yield the pieces of all parts that are read, then one for each that is not."""
        for member in members(chunks, self._folder):
            if member.is_desktop_file:
                telemetry.info(
                    "left out of a zip", file_id=self._folder.name, reason=logged_name(member.name or "")
                )
            else:
                yield from self._member_pieces(member)
        if self._layout is None:
            raise self._reason_of_all()
        for name, part, error in self._refused:
            unread = UnreadPart(name or "", error.reason)
            yield Piece(None, self._layout, 0, row_count=1, part=part, unread=unread)

    def _member_pieces(self, member: Member) -> Iterator[Piece]:
        """Yield the pieces of a file of an archive, or of a file that is none."""
        if member.refused is not None:
            self._refuse(member.name, member.refused)
            return
        head, chunks = peek(member.chunks, HeaderPolicy.head_bytes)
        try:
            kind = _kind(head, self._rules)
        except BadFile as error:
            self._refuse(member.name, error)
            return
        if kind == "xlsx":
            yield from self._workbook_pieces(_spool(chunks, self._new_path()), member.name)
        else:
            yield from self._part_pieces(self._file_pieces(head, chunks, kind, member), member.name)

    def _part_pieces(self, pieces_of_part: Iterator[Piece], name: str | None) -> Iterator[Piece]:
        """Yield the pieces of the next part; where it cannot be read from its very beginning, note why.

        What breaks off within its first piece has shown its header, and is no part that is read all the same.
        """
        part, layout = self._parts, self._layout
        try:
            first = next(pieces_of_part, None)
        except BadFile as error:
            if error.code in _OF_WHOLE_ARCHIVE:
                raise
            self._layout = layout
            self._refuse(name, error)
            return
        self._parts += 1
        try:
            for piece in itertools.chain(filter(None, (first,)), pieces_of_part):
                yield replace(piece, part=part)
        except BadFile as error:
            raise _named(error, name) from error

    def _refuse(self, name: str | None, error: BadFile) -> None:
        self._refused.append((name, self._parts, error))
        self._parts += 1

    def _reason_of_all(self) -> BadFile:
        """Return why nothing of the file is read: what is wrong with the part that is most like the table."""
        if not self._refused:
            return BadFile("empty_file", "the file holds no rows")
        ranked = sorted(self._refused, key=lambda refused: refused[2].code not in _OF_TABLES)
        name, _, error = ranked[0]
        others = [told_name(other or "") for other, part, _ in self._refused if part != ranked[0][1]]
        if not others:
            return _named(error, name)
        reason = (
            f"{_named(error, name).reason}; nor is any other part read: {', '.join(others[:_PARTS_TOLD])}"
        )
        return BadFile(error.code, reason, error.original)

    def _file_pieces(
        self, head: bytes, chunks: Iterator[bytes], kind: Kind, member: Member
    ) -> Iterator[Piece]:
        """Yield the pieces of a file that is no workbook."""
        if kind == "parquet":
            path = _spool(chunks, self._new_path())
            checked = parquet.check(path)
            if checked.has_wide_decimals:
                path = wide_decimals.as_text(path, self._new_path())
            if member.siblings:
                self._require_fit(parquet.column_names(path), Layout("parquet"))
            self._layout = self._layout or Layout("parquet")
            yield from _parquet_pieces(path, checked.rows, self._piece_bytes)
            return
        names = [name for column in self._rules.columns for name in column.names]
        decoded = as_utf8(chunks, self._rules.encoding, names)
        head, text = peek(without_marks(decoded), HeaderPolicy.head_bytes)
        kind = _kind(head, self._rules)
        if kind == "delimited":
            yield from self._delimited_pieces(text)
            return
        if member.siblings:
            self._require_json(head)
        layout = Layout("json_lines")
        self._layout = self._layout or layout
        if collected_events.is_collected(head):
            lines = collected_events.event_lines(text)
        else:
            lines = json_records.as_lines(text) if kind == "json_array" else text
        yield from cut_text(json_lines(lines), layout, self._new_path, self._piece_bytes)

    def _delimited_pieces(self, text: Iterator[bytes], *, is_sheet: bool = False) -> Iterator[Piece]:
        head, text = peek(text, HeaderPolicy.head_bytes)
        header = read_header(head, self._rules.columns)
        layout = Layout(
            "delimited", header.delimiter, header.names, None if is_sheet else most_cells(head, header)
        )
        self._require_fit(header.names, layout)
        self._layout = self._layout or layout
        rows = marked(headers_apart(without_first(header.bytes_above, text), header.line), header)
        for number, (is_other, parts) in enumerate(itertools.groupby(rows, key=itemgetter(0))):
            table = (part for _, part in parts)
            if is_other:
                telemetry.warn("another table below the first one", file_id=self._folder.name)
            for piece in cut_text(table, layout, self._new_path, self._piece_bytes, has_header=number == 0):
                yield replace(piece, is_other_table=is_other)

    def _workbook_pieces(self, path: Path, member_name: str | None) -> Iterator[Piece]:
        """Yield the pieces of a workbook's sheets."""
        columns = self._rules.columns

        def recognised_header(rows: Sequence[Sequence[str]]) -> int | None:
            return header_row(rows, columns)

        try:
            with sheets.open_sheets(path, self._rules.sheet) as listed:
                for sheet in listed:
                    name = sheet.name if member_name is None else f"{member_name}/{sheet.name}"
                    if not sheet.is_chosen:
                        self._parts += 1
                        telemetry.info("sheet left out", file_id=self._folder.name, reason=logged_name(name))
                        continue
                    if sheet.is_hidden and self._rules.sheet is None:
                        self._refuse(name, BadFile("hidden_sheet", "the sheet is hidden"))
                        continue
                    text = sheet.as_csv(recognised_header)
                    yield from self._part_pieces(self._sheet_pieces(text), name)
        except BadFile as error:
            if member_name is None or error.code in _OF_WHOLE_ARCHIVE or self._layout is not None:
                raise
            self._refuse(member_name, error)

    def _sheet_pieces(self, text: Iterator[bytes]) -> Iterator[Piece]:
        """Yield the pieces of a sheet; none of one that is empty."""
        head, text = peek(text, 1)
        if head:
            yield from self._delimited_pieces(text, is_sheet=True)

    def _require_fit(self, names: Sequence[str], layout: Layout) -> None:
        """Raise BadFile where a table is not the mapping's or, without a mapping, none like the first one.

        A table is like another where they share half of the names of one.
        """
        if self._rules.columns:
            match(self._rules.columns, names)
            return
        if self._layout is None:
            return
        first_names, own_names = set(map(normal, self._layout.header)), set(map(normal, names))
        common = len(first_names & own_names)
        if self._layout.kind != layout.kind or common * 2 < min(len(first_names), len(own_names)):
            raise BadFile(
                "missing_column", f"the header is not that of the first table; {told_header(names)}"
            )

    def _require_json(self, head: bytes) -> None:
        """Raise BadFile where a file beside others holds no JSON, or none of the mapping's keys at its beginning."""
        if detect_kind(head) == "delimited":
            raise BadFile("no_json", "it holds no JSON")
        keys = [column.origin.split(".")[0] for column in self._rules.columns]
        if keys and not any(json.dumps(key, ensure_ascii=False).encode() in head for key in keys):
            raise BadFile("missing_column", "its records have none of the keys that the mapping names")
        if not keys and self._layout is not None and self._layout.kind != "json_lines":
            raise BadFile("missing_column", "it is no table like the first one")

    def _new_path(self) -> Path:
        return self._folder / f"{next(self._paths):06}.piece"


def _named(error: BadFile, name: str | None) -> BadFile:
    """Return the error with the name of the part that it is about, where that has one."""
    if not name:
        return error
    return BadFile(error.code, f"{told_name(name)}: {error.reason}", error.original)


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


def _parquet_pieces(path: Path, rows: int, piece_bytes: int) -> Iterator[Piece]:
    """Yield pieces by row numbers: DuckDB skips the row groups that a piece does not need."""
    piece_count = -(-path.stat().st_size // piece_bytes)
    rows_a_piece = max(1, -(-rows // piece_count))
    for row_offset in range(0, rows, rows_a_piece):
        piece_rows = min(rows_a_piece, rows - row_offset)
        yield Piece(path, Layout("parquet"), piece_bytes, row_count=piece_rows, row_offset=row_offset)
