"""The sweep stage: raw files that no event announced, or whose message was lost, are announced again.

What is known may be more than memory holds, and so may the bucket: DuckDB keeps the known ids, 16 bytes each and
on scratch disk where they are too many, and the bucket is compared with them some pages at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lakehouse import signals, telemetry
from lakehouse.engine import duck
from lakehouse.landing.probe import probe_once
from lakehouse.landing.raw_files import RawFile, listing_pages
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger, views
from lakehouse.tables.contracts import LEDGER

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings

_FILES, _BYTES = 500, 200_000  # a message; SQS takes 256 KiB
_RAW_BYTES = 64 << 20  # likewise, of the files themselves: a function has a hundred messages and five minutes
_AT_ONCE = 10_000  # ids that are compared in one query
_RACERS = 8
_HALF = "CAST(substr({}, 1, 32) AS UUID)"  # of an id
_T = TypeVar("_T")


@dataclass
class Swept:
    """How far a sweep is."""

    pages: int = 0
    keys: int = 0
    announced: int = 0


def sweep(settings: Settings, progress: Callable[[Swept], None] | None = None) -> int:
    """Announce every raw file that no table and no ledger knows; return how many.

    A file whose message is still waiting is announced twice; ingest loads it once. `progress` hears of each page.
    Raises `Terminal` for an object store other than S3 that does not keep conditional writes.
    """
    if settings.s3_endpoint:  # S3 itself promises them
        probe_once(settings.ops_bucket, racers=_RACERS)
    swept = Swept()
    con = duck.connect(settings)
    try:
        _note_known(con, settings)
        announce(settings, _unknown(con, _pages(settings.landing_bucket, swept, progress)), swept)
    finally:
        con.close()
    telemetry.info("swept", files=swept.announced, count=swept.keys)
    return swept.announced


def announce(settings: Settings, files: Iterable[RawFile], swept: Swept | None = None) -> int:
    """Put files on the ingest queue, many a message; return how many."""
    swept = swept or Swept()

    def bodies() -> Iterator[dict[str, Any]]:
        for part in _messages(files):
            yield {"files": part}
            swept.announced += len(part)

    signals.send(settings.ingest_queue_url, bodies())
    return swept.announced


def _messages(files: Iterable[RawFile]) -> Iterator[list[dict[str, Any]]]:
    """Cut the files into what fits a message; a key of 1,024 bytes may take six times that as JSON."""
    part: list[dict[str, Any]] = []
    size = raw = 0
    for file in files:
        told = file.message()
        length = len(json.dumps(told)) + 2
        if part and (size + length > _BYTES or raw + file.size > _RAW_BYTES or len(part) >= _FILES):
            yield part
            part, size, raw = [], 0, 0
        part.append(told)
        size += length
        raw += file.size
    if part:
        yield part


def _pages(bucket: str, swept: Swept, progress: Callable[[Swept], None] | None) -> Iterator[RawFile]:
    for page in listing_pages(bucket):
        yield from page
        swept.pages += 1
        swept.keys += len(page)
        if progress is not None:
            progress(swept)


def _note_known(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Make the temp table `known` of the ids in the ledger, in live commits, and of files that no table takes.

    The ledger is read before the summaries, as it is filled from them: what moves in between is announced for
    nothing. An id is cut to half of its sha-256, which 2^64 files would have to share.
    """
    con.execute("CREATE TEMP TABLE known (id UUID)")
    catalog = catalogs.open_catalog(settings)
    if LEDGER.name in views.attach(con, catalog, [LEDGER.name]):
        con.execute(f"INSERT INTO known SELECT {_HALF.format('file_id')} FROM {LEDGER.name}")
    _note(con, ledger.noted(settings.ops_bucket))
    for name in catalogs.table_names(catalog):
        if name.startswith("raw."):  # a source may be defined no longer, and its files are in all the same
            table = catalogs.load(catalog, name)
            _note(con, (record.file_id for _, _, record in ledger.in_summaries(table)))


def _note(con: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> None:
    for some in _batches(ids):
        con.execute(f"INSERT INTO known SELECT {_HALF.format('unnest(?)')}", [some])


def _unknown(con: duckdb.DuckDBPyConnection, files: Iterable[RawFile]) -> Iterator[RawFile]:
    """Yield the files that are not in `known`, in order."""
    query = (
        f"SELECT n FROM (SELECT {_HALF.format('unnest(?)')} AS id, unnest(range(?)) AS n)"
        " ANTI JOIN known USING (id) ORDER BY n"
    )
    for some in _batches(files):
        rows = con.execute(query, [[file.file_id for file in some], len(some)]).fetchall()
        yield from (some[number] for (number,) in rows)


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    batch: list[_T] = []
    for item in items:
        batch.append(item)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
