"""Brings the lines of many objects into DuckDB: small objects side by side, large ones a part at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from lakehouse.batching import Limit, batches
from lakehouse.books.book_sources import ListedObject
from lakehouse.books.policy import BooksCommitPolicy, ObjectReadPolicy
from lakehouse.landing.object_lines import lines

if TYPE_CHECKING:
    import duckdb

_NO_JSON = ""  # stands for bytes that are no text
RESTORE = "restore the object's previous version; the bucket keeps those"
Line = tuple[str, str]  # a line's text, and the key of its object


def commit_batches(objects: Iterable[ListedObject]) -> Iterator[list[ListedObject]]:
    """Cut objects into what one commit copies; an object is never cut, since its key says that it is copied."""
    size = Limit[ListedObject](lambda listed: listed.bytes, BooksCommitPolicy.max_bytes)
    return batches(objects, size, count=BooksCommitPolicy.max_objects)


def read_lines(bucket: str, objects: Sequence[ListedObject]) -> Iterator[Line]:
    """Yield each line of each object, with the object's key: first those of small objects, then of large ones."""
    small = [listed.key for listed in objects if listed.bytes <= ObjectReadPolicy.small_object_bytes]
    large = [listed.key for listed in objects if listed.bytes > ObjectReadPolicy.small_object_bytes]
    with ThreadPoolExecutor(ObjectReadPolicy.threads) as pool:
        for keys in batches(small, count=ObjectReadPolicy.small_objects_at_once):
            for content in pool.map(lambda key: list(_lines_of(bucket, key)), keys):
                yield from content
    for key in large:
        yield from _lines_of(bucket, key)


def _lines_of(bucket: str, key: str) -> Iterator[Line]:
    for line in lines(bucket, key):
        try:
            yield line.decode(), key
        except UnicodeDecodeError:
            yield _NO_JSON, key


def load_objects_table(con: duckdb.DuckDBPyConnection, lines_and_keys: Iterable[Line]) -> list[str]:
    """Make the temp table `objects(line, key)` of JSON texts and the keys they came from.

    An object with a line that is no JSON, such as one that was cut off, is left out as a whole; the keys of those are
    returned.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE objects (line JSON, key VARCHAR)")
    size = Limit[Line](lambda line: len(line[0]) + len(line[1]), ObjectReadPolicy.insert_bytes)
    for batch in batches(lines_and_keys, size):
        _insert(con, batch)
    damaged = con.execute("SELECT DISTINCT key FROM objects WHERE line IS NULL ORDER BY key").fetchall()
    if damaged:
        con.execute("DELETE FROM objects WHERE key IN (SELECT key FROM objects WHERE line IS NULL)")
    return [key for (key,) in damaged]


def _insert(con: duckdb.DuckDBPyConnection, batch: Sequence[Line]) -> None:
    texts, keys = zip(*batch, strict=True)
    con.execute(
        "INSERT INTO objects SELECT TRY_CAST(unnest(?) AS JSON), unnest(?)", [list(texts), list(keys)]
    )
