"""The sweep stage: raw files that no event announced, or whose message was lost, are announced again.

What is known may be more than memory holds, and so may the bucket: DuckDB keeps the known ids, 16 bytes each and
on scratch disk where they are too many, and the bucket is compared with them some pages at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse import signals, telemetry
from lakehouse.batching import Limit, batches
from lakehouse.engine import duck
from lakehouse.landing.arrival import in_order
from lakehouse.landing.probe import probe_once
from lakehouse.landing.raw_files import RawFile, listing_pages
from lakehouse.progress import Progress, no_progress
from lakehouse.stages.policy import AnnouncementPolicy, SweepPolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger, views
from lakehouse.tables.catalog import RAW
from lakehouse.tables.contracts import LEDGER

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings

_HALF_ID_SQL = "CAST(substr({}, 1, 32) AS UUID)"


@dataclass
class Swept:
    """How much of the bucket a sweep has listed, and how many files it has announced."""

    pages: int = 0
    keys: int = 0
    announced: int = 0

    def __str__(self) -> str:
        return f"{self.keys:,} files looked at on {self.pages:,} pages, {self.announced:,} announced"


def sweep(settings: Settings, progress: Progress = no_progress) -> int:
    """Announce every raw file that no table and no ledger knows; return how many.

    A file whose message is still waiting is announced twice; ingest loads it once. `progress` hears of each page of
    the listing, with the number of files so far. Raises `Terminal` for an object store other than S3 that does not
    keep conditional writes.
    """
    if settings.s3_endpoint:  # S3 itself promises them
        probe_once(settings.ops_bucket, racers=SweepPolicy.probe_racers)
    swept = Swept()
    with closing(duck.connect(settings)) as con:
        _load_known_ids(con, settings)
        files = _list_files(settings.landing_bucket, swept, progress)
        announce(settings, _unknown(con, files), swept)
    telemetry.info("swept", files=swept.announced, count=swept.keys)
    return swept.announced


def announce(settings: Settings, files: Iterable[RawFile], swept: Swept | None = None) -> int:
    """Put files on the ingest queue, many a message; return how many. `swept` counts them as they are sent."""
    swept = swept or Swept()

    def bodies() -> Iterator[dict[str, Any]]:
        for batch in message_batches(files):
            yield {"files": [file.message() for file in batch]}
            swept.announced += len(batch)

    signals.send(settings.ingest_queue_url, bodies())
    return swept.announced


def message_batches(files: Iterable[RawFile]) -> Iterator[list[RawFile]]:
    """Cut the files into what one message announces; a key of 1,024 bytes may take six times that as JSON."""
    message = Limit[RawFile](_bytes_in_message, AnnouncementPolicy.max_message_bytes)
    content = Limit[RawFile](lambda file: file.size, AnnouncementPolicy.max_raw_bytes)
    return batches(files, message, content, count=AnnouncementPolicy.max_files)


def _bytes_in_message(file: RawFile) -> int:
    separator = ", "
    return len(json.dumps(file.message())) + len(separator)


def _list_files(bucket: str, swept: Swept, progress: Progress) -> Iterator[RawFile]:
    for page in listing_pages(bucket):
        yield from page
        swept.pages += 1
        swept.keys += len(page)
        progress(str(swept), swept.keys)


def _load_known_ids(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Make the temp table `known` of the ids in the ledger, in live commits, and of files that no table takes.

    The ledger is read before the summaries, as it is filled from them: a file whose snapshot expires in between is
    announced for nothing. An id is cut to half of its sha-256, which 2^64 files would have to share.
    """
    con.execute("CREATE TEMP TABLE known (id UUID)")
    catalog = catalogs.open_catalog(settings)
    if LEDGER.name in views.attach(con, catalog, [LEDGER.name]):
        con.execute(f"INSERT INTO known SELECT {_HALF_ID_SQL.format('file_id')} FROM {LEDGER.name}")
    _insert_known(con, ledger.noted(settings.ops_bucket))
    # Also of a source that is defined no longer: what it sent is loaded.
    for name in catalogs.table_names(catalog, [RAW]):
        table = catalogs.load(catalog, name)
        _insert_known(con, (record.file_id for _, _, record in ledger.in_summaries(table)))


def _insert_known(con: duckdb.DuckDBPyConnection, file_ids: Iterable[str]) -> None:
    for batch in batches(file_ids, count=SweepPolicy.ids_per_query):
        con.execute(f"INSERT INTO known SELECT {_HALF_ID_SQL.format('unnest(?)')}", [batch])


def _unknown(con: duckdb.DuckDBPyConnection, files: Iterable[RawFile]) -> Iterator[RawFile]:
    """Yield the files that are not in `known`; of those that are compared at once, the ones that came first, first."""
    query = (
        f"SELECT n FROM (SELECT {_HALF_ID_SQL.format('unnest(?)')} AS id, unnest(range(?)) AS n)"
        " ANTI JOIN known USING (id) ORDER BY n"
    )
    for batch in batches(files, count=SweepPolicy.ids_per_query):
        rows = con.execute(query, [[file.file_id for file in batch], len(batch)]).fetchall()
        yield from in_order(batch[position] for (position,) in rows)
