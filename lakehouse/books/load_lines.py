"""Brings the lines of many objects into DuckDB: small objects side by side, large ones a piece at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from lakehouse.books.book_sources import Found
from lakehouse.landing.object_lines import lines

if TYPE_CHECKING:
    import duckdb

OBJECTS_A_COMMIT = 2_000
_BYTES_A_COMMIT = 256 << 20  # of objects; one object may be larger
_SMALL = 1 << 20  # an object that is read whole
_AT_ONCE = 64  # small objects that are read and not yet taken
_PIECE = 8 << 20  # of lines, on their way into DuckDB
_THREADS = 8


def parts(found: Iterable[Found]) -> Iterator[list[Found]]:
    """Cut objects into what one commit copies; an object is never cut, since its key tells that it is copied."""
    part: list[Found] = []
    size = 0
    for one in found:
        if part and (len(part) >= OBJECTS_A_COMMIT or size + one.bytes > _BYTES_A_COMMIT):
            yield part
            part, size = [], 0
        part.append(one)
        size += one.bytes
    if part:
        yield part


def read(bucket: str, found: Sequence[Found]) -> Iterator[tuple[str, str]]:
    """Yield each line of each object, with the object's key."""
    small = [one.key for one in found if one.bytes <= _SMALL]
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(small), _AT_ONCE):
            keys = small[start : start + _AT_ONCE]
            for key, whole in zip(keys, pool.map(lambda key: list(lines(bucket, key)), keys), strict=True):
                yield from ((line.decode(), key) for line in whole)
    for one in found:
        if one.bytes > _SMALL:
            yield from ((line.decode(), one.key) for line in lines(bucket, one.key))


def stage(con: duckdb.DuckDBPyConnection, told: Iterable[tuple[str, str]]) -> None:
    """Make the temp table `objects(line, key)` of JSON texts and the keys they came from."""
    con.execute("CREATE OR REPLACE TEMP TABLE objects (line JSON, key VARCHAR)")
    piece: tuple[list[str], list[str]] = ([], [])
    size = 0
    for line, key in told:
        piece[0].append(line)
        piece[1].append(key)
        size += len(line) + len(key)
        if size > _PIECE:
            _insert(con, piece)
            piece, size = ([], []), 0
    if piece[0]:
        _insert(con, piece)


def _insert(con: duckdb.DuckDBPyConnection, piece: tuple[list[str], list[str]]) -> None:
    con.execute("INSERT INTO objects SELECT CAST(unnest(?) AS JSON), unnest(?)", list(piece))
