"""Raw files expire: what is loaded is deleted so many days after it came as its source says (`raw_days`).

A file of which nothing is loaded stays, however old: one that was never loaded, one that is bad as a whole, one of
whose rows all are in quarantine. Each version is a file of its own. A bucket that keeps no versions cannot be asked to
delete the bytes that were listed and no others, so nothing is deleted from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws, telemetry
from lakehouse.batching import batches
from lakehouse.engine import duck
from lakehouse.landing.raw_files import RawFile, dated_pages
from lakehouse.sources import definition
from lakehouse.stages.policy import RawExpiryPolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger, views
from lakehouse.tables.contracts import LEDGER

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import Catalog


@dataclass
class Expired:
    """What became of a source's files that are old enough.

    `files` and `bytes` were deleted, or would be; of `waiting` nothing is loaded, and they stay; `unversioned` stay,
    too, since their bucket keeps no versions; `failed` could not be deleted and are tried again the next time.
    """

    files: int = 0
    bytes: int = 0
    waiting: int = 0
    unversioned: int = 0
    failed: int = 0


@dataclass(frozen=True)
class ExpiryPlan:
    """Which old files of a batch may be deleted, and how many others stay for which reason."""

    deletable: tuple[RawFile, ...]
    waiting: int
    unversioned: int


def expire_raw_files(
    settings: Settings, *, dry_run: bool = False, now: datetime | None = None
) -> dict[str, dict[str, int]]:
    """Delete what has expired of every source that says `raw_days`; return the counts by `<source>/<entity>`.

    A second run finds nothing more. Rows, ledger and books stay as they are; what is in quarantine can be replayed as
    long as its raw file exists.
    """
    moment = now or datetime.now(UTC)
    sources = {
        "/".join(source_key): source
        for source_key, source in sorted(definition.load(settings.definitions).items())
        if source.raw_days is not None
    }
    if not sources:
        return {}
    counts: dict[str, dict[str, int]] = {}
    catalog = catalogs.open_catalog(settings)
    with closing(duck.connect(settings)) as con:
        has_ledger = LEDGER.name in views.attach(con, catalog, [LEDGER.name])
        for prefix, source in sources.items():
            before = moment - timedelta(days=source.raw_days or 0)
            in_commits = _loaded_in_commits(catalog, source)
            expired = Expired()
            old_files = _old_files(settings.landing_bucket, f"{prefix}/", before)
            for batch in batches(old_files, count=RawExpiryPolicy.files_per_query):
                in_ledger = _loaded_in_ledger(con, source, batch) if has_ledger else set()
                _apply(plan_expiry(batch, in_commits | in_ledger), expired, dry_run=dry_run)
            telemetry.info("raw files expired", table=source.table, files=expired.files, bytes=expired.bytes)
            counts[prefix] = asdict(expired)
    return counts


def plan_expiry(files: Sequence[RawFile], loaded: AbstractSet[str]) -> ExpiryPlan:
    """Return which of the files may be deleted; `loaded` are the ids of those of which something is loaded."""
    loaded_files = [file for file in files if file.file_id in loaded]
    deletable = tuple(file for file in loaded_files if not file.is_etag)
    return ExpiryPlan(
        deletable, waiting=len(files) - len(loaded_files), unversioned=len(loaded_files) - len(deletable)
    )


def _old_files(bucket: str, prefix: str, before: datetime) -> Iterator[RawFile]:
    """Yield the files that came before a moment."""
    for page in dated_pages(bucket, prefix):
        yield from (file for file, received_at in page if received_at < before)


def _loaded_in_commits(catalog: Catalog, source: Source) -> set[str]:
    """Return the ids of files that live commits say are loaded: some rows are, or none is bad."""
    records = ledger.in_summaries(catalogs.load(catalog, source.table))
    return {
        record.file_id
        for _, _, record in records
        if record.loaded or record.duplicates or not record.quarantined
    }


def _loaded_in_ledger(con: duckdb.DuckDBPyConnection, source: Source, files: Sequence[RawFile]) -> set[str]:
    """Return the ids of those files that the ledger says are loaded: some rows are, or none is bad."""
    rows = con.execute(
        f"SELECT DISTINCT file_id FROM {LEDGER.name} SEMI JOIN (SELECT unnest($1) AS file_id) USING (file_id) "
        "WHERE table_name = $2 AND (loaded > 0 OR duplicates > 0 OR quarantined = 0)",
        [[file.file_id for file in files], source.table],
    ).fetchall()
    return {file_id for (file_id,) in rows}


def _apply(plan: ExpiryPlan, expired: Expired, *, dry_run: bool) -> None:
    """Delete the plan's files, but for a dry run, and add to the counts what became of them."""
    expired.waiting += plan.waiting
    expired.unversioned += plan.unversioned
    if dry_run:
        deleted = list(plan.deletable)
    else:
        with ThreadPoolExecutor(RawExpiryPolicy.threads) as pool:
            outcomes = list(pool.map(_delete, plan.deletable))
        deleted = [file for file, done in zip(plan.deletable, outcomes, strict=True) if done]
    expired.files += len(deleted)
    expired.failed += len(plan.deletable) - len(deleted)
    expired.bytes += sum(file.size for file in deleted)


def _delete(file: RawFile) -> bool:
    try:
        aws.s3().delete_object(Bucket=file.bucket, Key=file.key, VersionId=file.version)
    except (ClientError, BotoCoreError) as error:
        telemetry.failed("raw file not deleted", error, file_id=file.file_id)
        return False
    return True
