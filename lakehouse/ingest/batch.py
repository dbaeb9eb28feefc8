"""A batch of raw files becomes rows: one commit a table, which carries the ids and counts of all its files."""

from __future__ import annotations

import itertools
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from lakehouse import signals, telemetry
from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.ingest.loading import deletion_guard
from lakehouse.ingest.loading.loader import Loading
from lakehouse.ingest.quarantine import bad_rows
from lakehouse.ingest.quarantine.bad_rows import BadRow
from lakehouse.landing.raw_files import RawFile
from lakehouse.sources import definition
from lakehouse.sources.definition import Source
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import data_files, ledger
from lakehouse.tables.commit import AlreadyCommittedError, Committed, FileRecord, append, generation_id

if TYPE_CHECKING:
    import duckdb

    from lakehouse.ingest.quarantine.replay_plan import Replay
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table

_ATTEMPTS = 8
_COMMITS = 20
_BATCH_BYTES = 512 << 20
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


def ingest(
    settings: Settings,
    files: Iterable[RawFile],
    clock: Callable[[], datetime] = utc_now,
    replays: Mapping[str, Replay] = MappingProxyType({}),
) -> Outcome:
    """Load raw files, each exactly once whatever is delivered twice; a group that fails does not stop the others.

    `clock` says when rows are loaded, and which of those there are too old to be compared with. `replays`, by file
    id, names the generation to load of a file, where it is not the first.
    """
    outcome = Outcome()
    sources = definition.load(settings.definitions)
    distinct = sorted(
        {file.file_id: file for file in files}.values(), key=lambda file: (file.source_key, file.key)
    )
    for place, group in itertools.groupby(distinct, key=lambda file: file.source_key):
        source = sources.get(place)
        # Each full export is compared with the one before.
        for part in _parts(group, most=1 if source and source.full_export else _BATCH_FILES):
            try:
                if source is None:
                    outcome.records += [_refuse(settings, file, clock()) for file in part]
                else:
                    _Batch(settings, source, part, clock, replays).run(outcome)
            except Exception as error:  # noqa: BLE001 - told, and the files go back to the queue
                telemetry.failed("batch failed", error, table="/".join(place), files=len(part))
                outcome.failed |= {file.file_id for file in part}
    return outcome


def _parts(files: Iterable[RawFile], most: int) -> Iterator[list[RawFile]]:
    """Cut a backlog into commits of bounded size; one file may be larger than the bound."""
    part: list[RawFile] = []
    size = 0
    for file in files:
        if part and (size + file.size > _BATCH_BYTES or len(part) >= most):
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
    digest = bad_rows.write(settings.ops_bucket, file, [BadRow(None, "unknown_source", reason)], now)
    record = _record(file, now, received=1, quarantined=1, set_aside=digest)
    ledger.note_tableless(settings.ops_bucket, record)
    return record


def _record(  # noqa: PLR0913 - what a record is made of
    file: RawFile,
    started_at: str,
    *,
    received: int,
    duplicates: int = 0,
    quarantined: int,
    replay: int = 0,
    set_aside: str = "",
) -> FileRecord:
    return FileRecord(
        file_id=file.file_id,
        bucket=file.bucket,
        key=file.key,
        version=file.version,
        bytes=file.size,
        received=received,
        loaded=received - duplicates - quarantined,
        duplicates=duplicates,
        quarantined=quarantined,
        started_at=started_at,
        replay=replay,
        set_aside=set_aside,
    )


class _Batch:
    """The files of one source on their way into one commit."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        files: Sequence[RawFile],
        clock: Callable[[], datetime],
        replays: Mapping[str, Replay],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.source = source
        self.replays = replays
        self.files = {self._id(file): file for file in files}
        self.loads: dict[str, ledger.Load] = {}
        self.catalog: Catalog = catalogs.open_catalog(settings)

    def _id(self, file: RawFile) -> str:
        replay = self.replays.get(file.file_id)
        return generation_id(file.file_id, replay.number if replay else 0)

    def run(self, outcome: Outcome) -> None:
        """Read, write and commit; plan again when another writer was first."""
        for attempt in range(1, _ATTEMPTS + 1):
            table = catalogs.ensure(self.catalog, self.source.contract)
            done = ledger.known(self.catalog, table, set(self.files))
            outcome.known += len(done)
            self.files = {name: file for name, file in self.files.items() if name not in done}
            if not self.files:
                return
            try:
                outcome.records += self._attempt(table, outcome.failed)
            except (AlreadyCommittedError, CommitConflict) as error:
                telemetry.info("lost a race, planning again", table=self.source.table, attempt=attempt)
                if attempt == _ATTEMPTS:
                    raise CommitConflict(f"{self.source.table}: lost {attempt} races in a row") from error
            else:
                return

    def _attempt(self, table: Table, failed: set[str]) -> list[FileRecord]:
        now = self.clock()
        moment, replayed = self._place_in_time(table, now)
        with tempfile.TemporaryDirectory(dir=self.settings.scratch, prefix="ingest-") as folder:
            con = duck.connect(self.settings, iceberg=False, threads=1)
            try:
                loading = Loading(self.settings, self.source, table, con, Path(folder), moment)
                try:
                    loading.run(self.files.values(), f"{now:%Y%m%d}-{uuid.uuid4()}", self.replays)
                    held = self._hold(con, table, loading)
                    records = self._records(loading, (now if replayed else moment).isoformat(), held)
                except Exception:  # no commit has been tried: nobody refers to what was written
                    data_files.discard(table, data_files.Written(loading.files))
                    raise
                self._commit(table, loading, records)
            finally:
                con.close()
        failed |= loading.failed
        return records

    def _place_in_time(self, table: Table, now: datetime) -> tuple[datetime, bool]:
        """Return when the rows count as loaded, and whether that was noted before.

        Full exports come one by one, and are laid side by side by their time.
        """
        if self.source.full_export is None:
            return now, False
        self.loads = ledger.loads(self.catalog, table)
        [file] = self.files.values()
        replay = self.replays.get(file.file_id)
        moment = deletion_guard.place_in_time(self.loads, file.file_id, replay, now)
        return moment, file.file_id in self.loads

    def _hold(self, con: duckdb.DuckDBPyConnection, table: Table, loading: Loading) -> set[str]:
        """Set a full export aside that would delete too much; return its id."""
        held = set()
        for file in self.files.values():
            name = file.file_id
            asked = deletion_guard.must_ask(self.source, self.replays.get(name))
            if asked and name not in {*loading.bad_files, *loading.failed}:
                unread = loading.counts[name].quarantined
                bad = deletion_guard.too_much_missing(
                    con, table, self.source, self.loads, loading.now, loading.files, unread=unread
                )
                if bad is not None:
                    loading.set_aside(name, bad)
                    held.add(name)
        return held

    def _records(self, loading: Loading, at: str, held: set[str]) -> list[FileRecord]:
        """Write the quarantine object of each file that has something bad, then say what became of every file."""
        records = []
        for file in self.files.values():
            name = file.file_id
            if name in loading.failed:
                continue
            count = loading.counts[name]
            received, quarantined = (
                (1, 1) if name in loading.bad_files else (count.received, count.quarantined)
            )
            replay = self.replays.get(name)
            number = replay.number if replay else 0
            if number and 0 < received == quarantined and name not in held:  # nothing is better than it was
                continue
            digest = ""
            if quarantined or number:
                digest = bad_rows.write(
                    self.settings.ops_bucket, file, loading.bad_rows(name), at, number, self.settings.scratch
                )
            records.append(
                _record(
                    file,
                    at,
                    received=received,
                    duplicates=count.duplicates,
                    quarantined=quarantined,
                    replay=number,
                    set_aside=digest,
                )
            )
        return records

    def _commit(self, table: Table, loading: Loading, records: list[FileRecord]) -> None:
        """Commit what was written; while nobody brought the same messages, a lost race costs only the commit."""
        written = data_files.Written(loading.files)
        if written.rows != sum(record.loaded for record in records):
            data_files.discard(table, written)
            raise CommitConflict(
                f"{self.source.table}: {written.rows} rows written, the counts say otherwise"
            )
        if not records:
            return
        for left in range(_COMMITS - 1, -1, -1):
            try:
                committed = append(
                    table,
                    written.files,
                    records=records,
                    exclusive=self.source.dedupe is not None or self.source.full_export is not None,
                    already=lambda ids: ledger.in_ledger(self.catalog, ids),
                )
                break
            except AlreadyCommittedError:
                data_files.discard(table, written)
                raise
            except CommitConflict:
                table = catalogs.ensure(self.catalog, self.source.contract)
                if not left or not (loading.messages and loading.messages.still_new(table)):
                    data_files.discard(table, written)
                    raise
        self._tell(committed, records)

    def _tell(self, committed: Committed, records: list[FileRecord]) -> None:
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
        signals.table_committed(self.settings, committed.table, committed.snapshot_id)
