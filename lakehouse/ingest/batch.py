"""A batch of raw files becomes rows: one commit a table, which carries the ids and counts of all its files."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from lakehouse import signals, telemetry
from lakehouse.batching import Limit, batches
from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.ingest.file_records import REFUSED, file_record, improves_nothing, needs_quarantine_object
from lakehouse.ingest.loading import deletion_guard
from lakehouse.ingest.loading.load_times import LoadTimes, load_times
from lakehouse.ingest.loading.loader import Loader
from lakehouse.ingest.policy import BATCH_RETRY, COMMIT_RETRY, BatchPolicy
from lakehouse.ingest.quarantine import bad_rows
from lakehouse.ingest.quarantine.bad_rows import BadRow
from lakehouse.landing.arrival import in_order
from lakehouse.landing.raw_files import RawFile
from lakehouse.retrying import retry_on_conflict
from lakehouse.scratch import scratch_folder
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

_LOST_RACE = (AlreadyCommittedError, CommitConflict)


@dataclass
class Outcome:
    """What a call of `ingest` did: a record of each file that is done with now, and how many were before.

    `failed` holds the ids of files to try again.
    """

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

    `clock` says when rows are loaded, and which of those that arrived earlier are too old to be compared with.
    `replays`, by file id, names the generation to load of a file, where it is not the first.
    """
    outcome = Outcome()
    sources = definition.load(settings.definitions)
    for source_key, group in _by_source_key(files):
        source = sources.get(source_key)
        for batch_files in _cut(group, source):
            try:
                if source is None:
                    outcome.records += [_refuse(settings, file, clock()) for file in batch_files]
                else:
                    _Batch(settings, source, batch_files, clock, replays).load_into(outcome)
            except Exception as error:  # noqa: BLE001 - it is logged, and the files go back to the queue
                telemetry.failed("batch failed", error, table="/".join(source_key), files=len(batch_files))
                outcome.failed |= {file.file_id for file in batch_files}
    return outcome


def _by_source_key(files: Iterable[RawFile]) -> Iterator[tuple[tuple[str, str], Iterator[RawFile]]]:
    """Yield the files of each source key, each file once, in the order in which they came, as far as that is known."""
    distinct = {file.file_id: file for file in sorted(files, key=lambda file: file.arrival)}.values()
    ordered = sorted(in_order(distinct), key=lambda file: file.source_key)
    return itertools.groupby(ordered, key=lambda file: file.source_key)


def _cut(files: Iterable[RawFile], source: Source | None) -> Iterator[list[RawFile]]:
    """Cut a backlog into commits of bounded size; each full export is compared with the one before, so is alone."""
    is_full_export = source is not None and source.full_export is not None
    size = Limit[RawFile](lambda file: file.size, BatchPolicy.max_bytes)
    return batches(files, size, count=1 if is_full_export else BatchPolicy.max_files)


def _refuse(settings: Settings, file: RawFile, now: datetime) -> FileRecord:
    """Set a file aside that no source definition fits, and note it as an object, so that it is logged only once."""
    reason = "no source definition fits the key's first two folders; see `sources/*.yaml`"
    bad_file = BadRow(None, "unknown_source", reason)
    digest = bad_rows.write(settings.ops_bucket, file, [bad_file], now.isoformat())
    record = replace(file_record(file, REFUSED, now), set_aside=digest)
    ledger.note_tableless(settings.ops_bucket, record)
    return record


@dataclass(frozen=True)
class _Timing:
    """When an attempt takes place, and when the rows of each file count as loaded.

    `loads` is what the table has of each raw file; only full exports, which are compared, and replays need it.
    """

    times: LoadTimes
    loads: Mapping[str, ledger.Load]

    def started_at(self, file_id: str) -> datetime:
        """Return when a file's record says that it was tried: of its first generation, when its rows count."""
        return self.times.now if file_id in self.loads else self.times.of_files[file_id]


class _Batch:
    """The files of one source on their way into one commit; `_files` by the id of the generation to load."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        files: Sequence[RawFile],
        clock: Callable[[], datetime],
        replays: Mapping[str, Replay],
    ) -> None:
        self._settings, self._source = settings, source
        self._clock, self._replays = clock, replays
        self._files = {self._generation_id(file): file for file in files}
        self._catalog: Catalog = catalogs.open_catalog(settings)

    def load_into(self, outcome: Outcome) -> None:
        """Read, write and commit; plan again when another writer was first."""

        def log_lost_race(attempt: int, _: Exception) -> None:
            telemetry.info("lost a race, planning again", table=self._source.table, attempt=attempt)

        try:
            retry_on_conflict(
                lambda: self._attempt(outcome), BATCH_RETRY, conflicts=_LOST_RACE, on_conflict=log_lost_race
            )
        except _LOST_RACE as error:
            raise CommitConflict(
                f"{self._source.table}: lost {BATCH_RETRY.attempts} races in a row"
            ) from error

    def _attempt(self, outcome: Outcome) -> None:
        """Load and commit the files that the table does not have yet, as it is now."""
        table = catalogs.ensure(self._catalog, self._source.contract)
        known = ledger.known(self._catalog, table, set(self._files))
        outcome.known += len(known)
        self._files = {name: file for name, file in self._files.items() if name not in known}
        if not self._files:
            return
        now = ledger.after_last_load(table, self._clock())
        timing = self._timing(table, now)
        with (
            scratch_folder(self._settings.scratch, "ingest") as folder,
            closing(duck.connect(self._settings, iceberg=False, threads=1)) as con,
        ):
            loader = Loader(self._settings, self._source, table, con, folder, timing.times)
            try:
                loader.run(list(self._files.values()), f"{now:%Y%m%d}-{uuid.uuid4()}", self._replays)
                held = self._hold_full_export(con, table, loader, timing)
                records = self._records(loader, timing, held=held)
            except Exception:  # no commit has been tried: nobody refers to what was written
                data_files.discard(table, data_files.Written(loader.files))
                raise
            self._commit(table, loader, records)
        outcome.records += records
        outcome.failed |= loader.results.failed

    def _timing(self, table: Table, now: datetime) -> _Timing:
        """Return when the rows count as loaded. Full exports come one by one, and are compared in this order.

        Messages are compared with what arrived lately, so they count when they are loaded, replayed or not.
        """
        file_ids = [file.file_id for file in self._files.values()]
        replays = {} if self._source.dedupe else self._replays
        is_compared = self._source.full_export is not None or not replays.keys().isdisjoint(file_ids)
        loads = ledger.loads(self._catalog, table) if is_compared else {}
        return _Timing(load_times(file_ids, replays, loads, now), loads)

    def _hold_full_export(
        self, con: duckdb.DuckDBPyConnection, table: Table, loader: Loader, timing: _Timing
    ) -> bool:
        """Set a full export aside that would delete too much; return whether it was."""
        if self._source.full_export is None:
            return False
        [file] = self._files.values()
        is_unreadable = file.file_id in loader.results.bad_files or file.file_id in loader.results.failed
        if is_unreadable or not deletion_guard.is_guarded(self._source, self._replays.get(file.file_id)):
            return False
        counts = loader.results.counts(file.file_id)
        unread_rows = counts.quarantined - counts.no_records
        loaded_at = timing.times.of_files[file.file_id]
        export = deletion_guard.NewExport(timing.loads, loaded_at, loader.files, unread_rows)
        error = deletion_guard.find_excess_deletion(con, table, self._source, export)
        if error is None:
            return False
        loader.set_aside(file.file_id, error)
        return True

    def _records(self, loader: Loader, timing: _Timing, *, held: bool) -> list[FileRecord]:
        """Return what became of every file, once the quarantine object of each with something bad is written.

        A replay that improves nothing is left out, unless its file, the only one, was `held` as a full export.
        """
        records = []
        for file in self._files.values():
            if file.file_id in loader.results.failed:
                continue
            counts = loader.results.counts(file.file_id)
            started_at = timing.started_at(file.file_id)
            record = file_record(file, counts, started_at, self._generation(file))
            if improves_nothing(record) and not held:
                continue
            if needs_quarantine_object(record):
                record = self._set_aside(file, record, loader.results.bad_rows(file.file_id))
            records.append(record)
        return records

    def _set_aside(self, file: RawFile, record: FileRecord, rows: Iterable[BadRow]) -> FileRecord:
        """Write what is bad of a file, and return its record with the digest of that."""
        digest = bad_rows.write(
            self._settings.ops_bucket,
            file,
            rows,
            record.started_at,
            record.replay,
            self._settings.scratch,
        )
        return replace(record, set_aside=digest)

    def _commit(self, table: Table, loader: Loader, records: list[FileRecord]) -> None:
        """Commit what was written; while nobody brought the same messages, a lost race costs only the commit."""
        new_files = data_files.Written(loader.files)
        if new_files.rows != sum(record.loaded for record in records):
            data_files.discard(table, new_files)
            raise CommitConflict(
                f"{self._source.table}: {new_files.rows} rows written, the counts say otherwise"
            )
        if not records:
            return

        def append_to_current() -> Committed:
            return append(
                table,
                new_files.files,
                records=records,
                exclusive=self._source.dedupe is not None or self._source.full_export is not None,
                already=lambda ids: ledger.in_ledger(self._catalog, ids),
            )

        def compare_with_added(_: int, conflict: Exception) -> None:
            """Look at the table as it is now; to raise here ends the tries: the batch has to be planned again."""
            nonlocal table
            table = catalogs.ensure(self._catalog, self._source.contract)
            if loader.messages is None or not loader.messages.still_new(table):
                raise conflict

        try:
            committed = retry_on_conflict(append_to_current, COMMIT_RETRY, on_conflict=compare_with_added)
        except _LOST_RACE:
            data_files.discard(table, new_files)
            raise
        _log_commit(committed, records)
        signals.table_committed(self._settings, committed.table, committed.snapshot_id)

    def _generation(self, file: RawFile) -> int:
        replay = self._replays.get(file.file_id)
        return replay.number if replay is not None else 0

    def _generation_id(self, file: RawFile) -> str:
        return generation_id(file.file_id, self._generation(file))


def _log_commit(committed: Committed, records: Sequence[FileRecord]) -> None:
    """Log what became of each file, and count rows for the metrics."""
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
