"""Parquet is looked at before DuckDB opens it: a footer that lies must not cost more than its file.

Numbers of fields: parquet.thrift of the Parquet format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lakehouse.errors import BadFile
from lakehouse.sources.formats.thrift import LIST, STRUCT, Damaged, Reader

_MAGIC = b"PAR1"
_TAIL = 8  # length of the footer, magic
_FOOTER = 16 << 20
_COLUMNS = 5_000
_FREE_ROWS, _ROWS_A_BYTE = 1_000_000, 100  # real rows hold something of their own
_FREE_BYTES, _RATIO = 64 << 20, 300
_MOST = 1 << 62


@dataclass
class _Chunk:
    """Where the values of one column in one row group lie."""

    values: int = -1
    unpacked: int = -1
    size: int = -1
    data: int = -1
    dictionary: int = 0


@dataclass
class _Group:
    rows: int = -1
    chunks: list[_Chunk] = field(default_factory=list)


@dataclass
class _Footer:
    rows: int = -1
    columns: int = 0
    unpacked: int = 0
    group_rows: int = 0


def check(path: Path) -> int:
    """Return how many rows a Parquet file holds by a footer that is sound.

    Raises BadFile: bad_parquet (no footer where it should be, numbers in it that cannot be), too_many_columns, bomb.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        begins = file.read(len(_MAGIC)) == _MAGIC
        file.seek(max(0, size - _TAIL))
        tail = file.read(_TAIL)
        length = int.from_bytes(tail[:4], "little")
        start = size - _TAIL - length
        if not begins or tail[4:] != _MAGIC or start < len(_MAGIC):
            raise BadFile(
                "bad_parquet", "the Parquet breaks off or is damaged: its footer is not where it should be"
            )
        file.seek(start)
        content = file.read(min(length, _FOOTER))
    try:
        footer = _read(Reader(content), start)
    except (Damaged, IndexError) as error:
        if length > _FOOTER:
            reason = f"the Parquet's footer is larger than {_FOOTER >> 20} MiB; write larger row groups"
            raise BadFile("bad_parquet", reason) from error
        raise BadFile(
            "bad_parquet", "the Parquet's footer is damaged, or lies about what the file holds"
        ) from error
    if footer.rows > max(_FREE_ROWS, _ROWS_A_BYTE * size) or footer.unpacked > max(
        _FREE_BYTES, _RATIO * size
    ):
        raise BadFile("bomb", "the Parquet unpacks to far more than its size; send it in another format")
    return footer.rows


def _read(reader: Reader, end: int) -> _Footer:
    """Read the FileMetaData; `end` is where the columns' bytes end. Row groups come after schema and number of rows."""
    footer = _Footer()
    for number, kind in reader.fields():
        if number == 2 and kind == LIST:  # noqa: PLR2004 - see parquet.thrift
            for inner in reader.elements():
                footer.columns += _is_leaf(reader, inner)
                if footer.columns > _COLUMNS:
                    raise BadFile("too_many_columns", f"the Parquet has more than {_COLUMNS:,} columns")
        elif number == 3:  # noqa: PLR2004
            footer.rows = reader.integer()
        elif number == 4 and kind == LIST:  # noqa: PLR2004
            for inner in reader.elements():
                group = _group(reader, inner)
                _verify(group, footer.columns, end)
                footer.group_rows += group.rows
                footer.unpacked += sum(chunk.unpacked for chunk in group.chunks)
        else:
            reader.skip(kind)
    if not footer.columns or footer.rows != footer.group_rows:
        raise Damaged
    return footer


def _is_leaf(reader: Reader, kind: int) -> bool:
    """Read a SchemaElement; tell whether it is a column and no group of columns."""
    _require(kind == STRUCT)
    children = 0
    for number, inner in reader.fields():
        if number == 5:  # noqa: PLR2004
            children = reader.integer()
        else:
            reader.skip(inner)
    return children == 0


def _group(reader: Reader, kind: int) -> _Group:
    _require(kind == STRUCT)
    group = _Group()
    for number, inner in reader.fields():
        if number == 1 and inner == LIST:
            group.chunks = [_chunk(reader, element) for element in reader.elements()]
        elif number == 3:  # noqa: PLR2004
            group.rows = reader.integer()
        else:
            reader.skip(inner)
    return group


def _chunk(reader: Reader, kind: int) -> _Chunk:
    _require(kind == STRUCT)
    chunk = _Chunk()
    names = {5: "values", 6: "unpacked", 7: "size", 9: "data", 11: "dictionary"}
    for number, inner in reader.fields():
        if number == 3 and inner == STRUCT:  # noqa: PLR2004
            for part, deeper in reader.fields():
                if part in names:
                    setattr(chunk, names[part], reader.integer())
                else:
                    reader.skip(deeper)
        else:
            reader.skip(inner)
    return chunk


def _verify(group: _Group, columns: int, end: int) -> None:
    """Raise Damaged where a row group cannot be so: columns missing, bytes outside of the file, values too few."""
    _require(len(group.chunks) == columns and 0 <= group.rows < _MOST)
    for chunk in group.chunks:
        start = chunk.dictionary if 0 < chunk.dictionary < chunk.data else chunk.data
        _require(start >= (len(_MAGIC) if chunk.values else 0))  # some writers say 0 where there is nothing
        _require(chunk.size >= 0 and start + chunk.size <= end)
        _require(group.rows <= chunk.values < _MOST and 0 <= chunk.unpacked < _MOST)


def _require(condition: bool) -> None:
    if not condition:
        raise Damaged
