"""Raw files expire: what is loaded goes so many days after it came as its source says (`raw_days`).

A file of which nothing is loaded stays, however old: one that ingest has not met yet, one that is bad as a whole, one
of whose rows all wait in quarantine. Each version is a file of its own. A bucket that keeps no versions cannot be asked
to delete the bytes that were listed and no others, so there nothing goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws, telemetry
from lakehouse.engine import duck
from lakehouse.landing.raw_files import RawFile, dated_pages
from lakehouse.sources import definition
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger, views
from lakehouse.tables.contracts import LEDGER

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import Catalog

_AT_ONCE = 10_000  # files that are looked for in the ledger by one query
_THREADS = 8


@dataclass
class Expired:
    """What became of a source's files that are old enough.

    `files` and `bytes` went, or would go; `waiting` have nothing loaded and stay; `unversioned` stay, too, since their
    bucket keeps no versions; `failed` could not be deleted and are tried again the next time.
    """

    files: int = 0
    bytes: int = 0
    waiting: int = 0
    unversioned: int = 0
    failed: int = 0


def expire_raw_files(
    settings: Settings, *, dry_run: bool = False, now: datetime | None = None
) -> dict[str, dict[str, int]]:
    """Delete what has expired of every source that says `raw_days`; return the counts by `<source>/<entity>`.

    Again, it finds nothing more. Rows, ledger and books stay as they are; what is in quarantine can be replayed as
    long as its raw file lives.
    """
    moment = now or datetime.now(UTC)
    done: dict[str, dict[str, int]] = {}
    due = {
        place: source
        for place, source in definition.load(settings.definitions).items()
        if source.raw_days is not None
    }
    if not due:
        return done
    catalog = catalogs.open_catalog(settings)
    with closing(duck.connect(settings)) as con:
        known = LEDGER.name in views.attach(con, catalog, [LEDGER.name])
        for place, source in sorted(due.items()):
            before = moment - timedelta(days=source.raw_days or 0)
            recent = _loaded_lately(catalog, source)
            expired = Expired()
            for some in _old(settings.landing_bucket, f"{'/'.join(place)}/", before):
                loaded = recent | (_loaded(con, source, some) if known else set())
                _expire(some, loaded.__contains__, expired, dry_run=dry_run)
            telemetry.info("raw files expired", table=source.table, files=expired.files, bytes=expired.bytes)
            done["/".join(place)] = asdict(expired)
    return done


def _old(bucket: str, prefix: str, before: datetime) -> Iterator[list[RawFile]]:
    """Yield the files that came before a moment, some thousands at a time."""
    some: list[RawFile] = []
    for page in dated_pages(bucket, prefix):
        some += [file for file, came in page if came < before]
        if len(some) >= _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _loaded_lately(catalog: Catalog, source: Source) -> set[str]:
    """Return the ids of files that live commits say are loaded."""
    records = ledger.in_summaries(catalogs.load(catalog, source.table))
    return {
        record.file_id
        for _, _, record in records
        if record.loaded or record.duplicates or not record.quarantined
    }


def _loaded(con: duckdb.DuckDBPyConnection, source: Source, files: Sequence[RawFile]) -> set[str]:
    """Return the ids of those files that the ledger says are loaded: some rows are, or none is bad."""
    rows = con.execute(
        f"SELECT DISTINCT file_id FROM {LEDGER.name} SEMI JOIN (SELECT unnest($1) AS file_id) USING (file_id) "
        "WHERE table_name = $2 AND (loaded > 0 OR duplicates > 0 OR quarantined = 0)",
        [[file.file_id for file in files], source.table],
    ).fetchall()
    return {file_id for (file_id,) in rows}


def _expire(
    files: Sequence[RawFile], loaded: Callable[[str], bool], expired: Expired, *, dry_run: bool
) -> None:
    sure = [file for file in files if loaded(file.file_id)]
    due = [file for file in sure if not file.is_etag]
    expired.waiting += len(files) - len(sure)
    expired.unversioned += len(sure) - len(due)
    with ThreadPoolExecutor(_THREADS) as pool:
        gone = [True] * len(due) if dry_run else list(pool.map(_delete, due))
    expired.files += sum(gone)
    expired.failed += len(due) - sum(gone)
    expired.bytes += sum(file.size for file, went in zip(due, gone, strict=True) if went)


def _delete(file: RawFile) -> bool:
    try:
        aws.s3().delete_object(Bucket=file.bucket, Key=file.key, VersionId=file.version)
    except (ClientError, BotoCoreError) as error:
        telemetry.failed("raw file not deleted", error, file_id=file.file_id)
        return False
    return True
