"""Parquet is looked at before DuckDB opens it: a footer that lies must not cost more than its file.

Numbers of fields: parquet.thrift of the Parquet format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lakehouse.errors import BadFile
from lakehouse.sources.formats.policy import ParquetPolicy
from lakehouse.sources.formats.thrift import LIST, STRUCT, Damaged, Reader
from lakehouse.sources.formats.wide_decimals import MOST_DIGITS

_MAGIC = b"PAR1"
_TAIL_BYTES: Final = 8  # at the file's end: length of the footer, magic
_MAX_COUNT: Final = 1 << 62  # a 64-bit number of values or bytes that can be added up
# Fields of FileMetaData
_SCHEMA: Final = 2
_NUM_ROWS: Final = 3
_ROW_GROUPS: Final = 4
# Fields of SchemaElement, RowGroup and ColumnChunk
_NUM_CHILDREN: Final = 5
_PRECISION: Final = 8
_GROUP_COLUMNS: Final = 1
_GROUP_NUM_ROWS: Final = 3
_META_DATA: Final = 3
# Fields of ColumnMetaData
_CHUNK_FIELDS = {
    5: "values",
    6: "unpacked_bytes",
    7: "packed_bytes",
    9: "data_offset",
    11: "dictionary_offset",
}


@dataclass
class _Chunk:
    """The values of one column in one row group: how many, their bytes, and where in the file they lie."""

    values: int = -1
    unpacked_bytes: int = -1
    packed_bytes: int = -1
    data_offset: int = -1
    dictionary_offset: int = 0

    @property
    def offset(self) -> int:
        """Return where its bytes begin: with the dictionary, if there is one."""
        if 0 < self.dictionary_offset < self.data_offset:
            return self.dictionary_offset
        return self.data_offset


@dataclass
class _Group:
    rows: int = -1
    chunks: list[_Chunk] = field(default_factory=list)

    @property
    def unpacked_bytes(self) -> int:
        return sum(chunk.unpacked_bytes for chunk in self.chunks)


@dataclass
class _Footer:
    """What the footer says of the file; `group_rows` and `unpacked_bytes` are sums over its row groups."""

    rows: int = -1
    columns: int = 0
    unpacked_bytes: int = 0
    group_rows: int = 0
    has_wide_decimals: bool = False


@dataclass(frozen=True)
class _RawFooter:
    """The bytes of the footer, no more than are read of it, how many it has, and where in the file it begins."""

    content: bytes
    length: int
    offset: int


@dataclass(frozen=True)
class Checked:
    """What is known of a Parquet file whose footer is sound: its rows, and whether decimals have too many digits."""

    rows: int
    has_wide_decimals: bool


def check(path: Path) -> Checked:
    """Return what a Parquet file holds by a footer that is sound.

    Raises BadFile: bad_parquet (no footer where it should be, numbers in it that cannot be), too_many_columns, bomb.
    """
    size = path.stat().st_size
    raw = _raw_footer(path, size)
    try:
        footer = _read_footer(Reader(raw.content), raw.offset)
    except (Damaged, IndexError) as error:
        raise BadFile("bad_parquet", _damage(raw.length)) from error
    max_rows = max(ParquetPolicy.free_rows, ParquetPolicy.max_rows_a_byte * size)
    max_bytes = max(ParquetPolicy.free_bytes, ParquetPolicy.max_ratio * size)
    if footer.rows > max_rows or footer.unpacked_bytes > max_bytes:
        raise BadFile("bomb", "the Parquet unpacks to far more than its size; send it in another format")
    return Checked(footer.rows, footer.has_wide_decimals)


def column_names(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file; BadFile (bad_parquet) where it is none."""
    import pyarrow as pa  # noqa: PLC0415 - heavy, and of archives alone
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise BadFile("bad_parquet", "the Parquet's footer is damaged") from error


def _raw_footer(path: Path, size: int) -> _RawFooter:
    with path.open("rb") as file:
        begins_well = file.read(len(_MAGIC)) == _MAGIC
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read(_TAIL_BYTES)
        length = int.from_bytes(tail[:4], "little")
        offset = size - _TAIL_BYTES - length
        if not begins_well or tail[4:] != _MAGIC or offset < len(_MAGIC):
            raise BadFile(
                "bad_parquet", "the Parquet breaks off or is damaged: its footer is not where it should be"
            )
        file.seek(offset)
        return _RawFooter(file.read(min(length, ParquetPolicy.max_footer_bytes)), length, offset)


def _damage(footer_length: int) -> str:
    """Return why a footer of this length cannot be read."""
    limit = ParquetPolicy.max_footer_bytes
    if footer_length > limit:
        return f"the Parquet's footer is larger than {limit >> 20} MiB; write larger row groups"
    return "the Parquet's footer is damaged, or lies about what the file holds"


def _read_footer(reader: Reader, data_end: int) -> _Footer:
    """Read the FileMetaData; the columns' bytes end at `data_end`. Row groups come after schema and number of rows.

    Raises Damaged, IndexError where the bytes end too early, and BadFile (too_many_columns).
    """
    footer = _Footer()
    for number, kind in reader.fields():
        if number == _SCHEMA and kind == LIST:
            _read_schema(reader, footer)
        elif number == _NUM_ROWS:
            footer.rows = reader.integer()
        elif number == _ROW_GROUPS and kind == LIST:
            _read_groups(reader, footer, data_end)
        else:
            reader.skip(kind)
    _require(footer.columns > 0 and footer.rows == footer.group_rows)
    return footer


def _read_schema(reader: Reader, footer: _Footer) -> None:
    for kind in reader.elements():
        element = _read_element(reader, kind)
        footer.columns += element.children == 0
        footer.has_wide_decimals |= element.precision > MOST_DIGITS
        if footer.columns > ParquetPolicy.max_columns:
            limit = ParquetPolicy.max_columns
            raise BadFile("too_many_columns", f"the Parquet has more than {limit:,} columns")


def _read_groups(reader: Reader, footer: _Footer, data_end: int) -> None:
    for kind in reader.elements():
        group = _read_group(reader, kind)
        _verify(group, footer.columns, data_end)
        footer.group_rows += group.rows
        footer.unpacked_bytes += group.unpacked_bytes


@dataclass
class _Element:
    """A SchemaElement: a column, or a group of so many of them; of a decimal the number of digits."""

    children: int = 0
    precision: int = 0


def _read_element(reader: Reader, kind: int) -> _Element:
    """Read a SchemaElement."""
    _require(kind == STRUCT)
    element = _Element()
    for number, field_kind in reader.fields():
        if number == _NUM_CHILDREN:
            element.children = reader.integer()
        elif number == _PRECISION:
            element.precision = reader.integer()
        else:
            reader.skip(field_kind)
    return element


def _read_group(reader: Reader, kind: int) -> _Group:
    """Read a RowGroup."""
    _require(kind == STRUCT)
    group = _Group()
    for number, field_kind in reader.fields():
        if number == _GROUP_COLUMNS and field_kind == LIST:
            group.chunks = [_read_chunk(reader, element_kind) for element_kind in reader.elements()]
        elif number == _GROUP_NUM_ROWS:
            group.rows = reader.integer()
        else:
            reader.skip(field_kind)
    return group


def _read_chunk(reader: Reader, kind: int) -> _Chunk:
    """Read a ColumnChunk."""
    _require(kind == STRUCT)
    chunk = _Chunk()
    for number, field_kind in reader.fields():
        if number == _META_DATA and field_kind == STRUCT:
            _read_chunk_meta_data(reader, chunk)
        else:
            reader.skip(field_kind)
    return chunk


def _read_chunk_meta_data(reader: Reader, chunk: _Chunk) -> None:
    for number, field_kind in reader.fields():
        if number in _CHUNK_FIELDS:
            setattr(chunk, _CHUNK_FIELDS[number], reader.integer())
        else:
            reader.skip(field_kind)


def _verify(group: _Group, columns: int, data_end: int) -> None:
    """Raise Damaged where a row group cannot be so: columns missing, bytes outside of the file, values too few."""
    _require(len(group.chunks) == columns)
    _require(0 <= group.rows < _MAX_COUNT)
    for chunk in group.chunks:
        first_offset = len(_MAGIC) if chunk.values else 0  # some writers say 0 where there is nothing
        _require(first_offset <= chunk.offset)
        _require(0 <= chunk.packed_bytes <= data_end - chunk.offset)
        _require(group.rows <= chunk.values < _MAX_COUNT)
        _require(0 <= chunk.unpacked_bytes < _MAX_COUNT)


def _require(condition: bool) -> None:
    if not condition:
        raise Damaged
