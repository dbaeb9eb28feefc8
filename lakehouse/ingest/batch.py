"""A batch of raw files becomes rows: one commit a table, which carries the ids and counts of all its files."""

from __future__ import annotations

import itertools
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lakehouse import signals, telemetry
from lakehouse.engine import duck
from lakehouse.errors import BadFile, CommitConflict
from lakehouse.ingest import quarantine
from lakehouse.ingest.dedupe import drop_duplicates
from lakehouse.ingest.quarantine import BadRow
from lakehouse.ingest.read import create_batch, read_file
from lakehouse.landing.fetch import fetch
from lakehouse.landing.files import RawFile
from lakehouse.sources import definition
from lakehouse.sources.definition import Source
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import datafiles, ledger
from lakehouse.tables.commit import AlreadyCommittedError, FileRecord, append

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table

_ATTEMPTS = 8
_BATCH_BYTES = 256 << 20
_BATCH_FILES = 500


@dataclass
class Outcome:
    """What a call of `ingest` did. `failed` holds the ids of files to try again."""

    records: list[FileRecord] = field(default_factory=list)
    known: int = 0
    failed: set[str] = field(default_factory=set)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def ingest(settings: Settings, files: Iterable[RawFile], clock: Callable[[], datetime] = utc_now) -> Outcome:
    """Load raw files, each exactly once whatever is delivered twice; a group that fails does not stop the others.

    `clock` says when rows are loaded, and which of those there are too old to be compared with.
    """
    outcome = Outcome()
    sources = definition.load(settings.definitions)
    distinct = sorted(
        {file.file_id: file for file in files}.values(), key=lambda file: (file.place, file.key)
    )
    for place, group in itertools.groupby(distinct, key=lambda file: file.place):
        source = sources.get(place)
        for part in _parts(group):
            try:
                if source is None:
                    outcome.records += [_refuse(settings, file, clock()) for file in part]
                else:
                    _Batch(settings, source, part, clock).run(outcome)
            except Exception as error:  # noqa: BLE001 - told, and the files go back to the queue
                telemetry.failed("batch failed", error, table="/".join(place), files=len(part))
                outcome.failed |= {file.file_id for file in part}
    return outcome


def _parts(files: Iterable[RawFile]) -> Iterator[list[RawFile]]:
    """Cut a backlog into commits of bounded size; one file may be larger than the bound."""
    part: list[RawFile] = []
    size = 0
    for file in files:
        if part and (size + file.size > _BATCH_BYTES or len(part) >= _BATCH_FILES):
            yield part
            part, size = [], 0
        part.append(file)
        size += file.size
    if part:
        yield part


def _refuse(settings: Settings, file: RawFile, moment: datetime) -> FileRecord:
    """Set a file aside that no source definition knows; it is noted, so that it is told once and not for ever."""
    now = moment.isoformat()
    reason = "no source definition fits the key's first two folders; see `sources/*.yaml`"
    quarantine.write(settings.ops_bucket, file, [BadRow(None, "unknown_source", reason)], now)
    record = _record(file, now, received=1, quarantined=1)
    ledger.note_tableless(settings.ops_bucket, record)
    return record


def _record(
    file: RawFile,
    started_at: str,
    *,
    received: int,
    loaded: int = 0,
    duplicates: int = 0,
    quarantined: int = 0,
) -> FileRecord:
    return FileRecord(
        file_id=file.file_id,
        bucket=file.bucket,
        key=file.key,
        version=file.version,
        bytes=file.size,
        received=received,
        loaded=loaded,
        duplicates=duplicates,
        quarantined=quarantined,
        started_at=started_at,
    )


class _Batch:
    """The files of one source on their way into one commit."""

    def __init__(
        self, settings: Settings, source: Source, files: Sequence[RawFile], clock: Callable[[], datetime]
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.source = source
        self.files = {file.file_id: file for file in files}
        self.failed: set[str] = set()
        self.catalog: Catalog = catalogs.open_catalog(settings)

    def run(self, outcome: Outcome) -> None:
        """Read, write and commit; plan again when another writer was first."""
        for attempt in range(1, _ATTEMPTS + 1):
            table = catalogs.ensure(self.catalog, self.source.contract)
            done = ledger.known(self.catalog, table, set(self.files))
            outcome.known += len(done)
            self.files = {name: file for name, file in self.files.items() if name not in done}
            if not self.files:
                outcome.failed |= self.failed
                return
            try:
                outcome.records += self._attempt(table)
            except (AlreadyCommittedError, CommitConflict) as error:
                telemetry.info("lost a race, planning again", table=self.source.table, attempt=attempt)
                if attempt == _ATTEMPTS:
                    raise CommitConflict(f"{self.source.table}: lost {attempt} races in a row") from error
            else:
                outcome.failed |= self.failed
                return

    def _attempt(self, table: Table) -> list[FileRecord]:
        now = self.clock()
        with tempfile.TemporaryDirectory(dir=self.settings.scratch, prefix="ingest-") as folder:
            con = duck.connect(self.settings, iceberg=False)
            try:
                return self._load(con, table, Path(folder), now)
            finally:
                con.close()

    def _load(
        self, con: duckdb.DuckDBPyConnection, table: Table, folder: Path, now: datetime
    ) -> list[FileRecord]:
        create_batch(con, self.source)
        bad_files = self._read(con, folder, now.isoformat())
        if not self.files:
            return []
        received = dict(con.execute("SELECT _file_id, count(*) FROM batch GROUP BY 1").fetchall())
        rule = self.source.dedupe
        duplicates = drop_duplicates(con, table, rule, now) if rule else {}
        bad = self._set_aside(con, bad_files, now.isoformat())
        records = []
        for name, file in self.files.items():
            whole = 1 if name in bad_files else received.get(name, 0)
            twice, wrong = duplicates.get(name, 0), bad.get(name, 0)
            records.append(
                _record(
                    file,
                    now.isoformat(),
                    received=whole,
                    loaded=whole - twice - wrong,
                    duplicates=twice,
                    quarantined=wrong,
                )
            )
        written = datafiles.write(
            con, table, "SELECT * FROM batch WHERE _code IS NULL", f"{now:%Y%m%d}-{uuid.uuid4()}"
        )
        if written.rows != sum(record.loaded for record in records):
            datafiles.discard(table, written)
            raise CommitConflict(
                f"{self.source.table}: {written.rows} rows written, the counts say otherwise"
            )
        self._commit(table, written, records)
        return records

    def _read(self, con: duckdb.DuckDBPyConnection, folder: Path, loaded_at: str) -> dict[str, BadRow]:
        bad: dict[str, BadRow] = {}
        for name, file in list(self.files.items()):
            try:
                read_file(con, self.source, fetch(file, folder), name, loaded_at)
            except BadFile as error:
                bad[name] = BadRow(None, error.code, error.reason)
            except ClientError as error:  # the store's answer about one object: the others need not wait
                telemetry.failed("file not fetched", error, file_id=name, key=file.key)
                self.failed.add(self.files.pop(name).file_id)
            finally:
                for left in folder.iterdir():
                    left.unlink()
        return bad

    def _set_aside(
        self, con: duckdb.DuckDBPyConnection, bad_files: dict[str, BadRow], at: str
    ) -> dict[str, int]:
        """Write the quarantine object of each file that has something bad; return how many rows by file id."""
        rows: dict[str, list[BadRow]] = {name: [row] for name, row in bad_files.items()}
        query = "SELECT _file_id, _row, _code, _reason, _original FROM batch WHERE _code IS NOT NULL ORDER BY 1, 2"
        for name, row, code, reason, original in con.execute(query).fetchall():
            rows.setdefault(name, []).append(BadRow(row, code, reason, original))
        for name, found in rows.items():
            quarantine.write(self.settings.ops_bucket, self.files[name], found, at)
        return {name: len(found) for name, found in rows.items()}

    def _commit(self, table: Table, written: datafiles.Written, records: list[FileRecord]) -> None:
        try:
            committed = append(
                table,
                written.files,
                records=records,
                exclusive=self.source.dedupe is not None,
                already=lambda ids: ledger.in_ledger(self.catalog, ids),
            )
        except (AlreadyCommittedError, CommitConflict):
            datafiles.discard(table, written)
            raise
        for record in records:
            telemetry.info(
                "file loaded",
                file_id=record.file_id,
                table=committed.table,
                received=record.received,
                loaded=record.loaded,
                duplicates=record.duplicates,
                quarantined=record.quarantined,
            )
        telemetry.count("RowsLoaded", sum(record.loaded for record in records))
        telemetry.count("RowsQuarantined", sum(record.quarantined for record in records))
        signals.table_committed(committed.table, committed.snapshot_id)
