"""Guarded commits: optimistic concurrency, and a guard that no file is committed twice.

A commit names the ids that it carries, and asks inside every retry whether the table has them already. pyiceberg
retries a fast append without validation, so two ingesters of one file would both commit. The guard overrides
`_validate_concurrency`, which runs on each retry, and looks at every snapshot between the one the attempt began from
and the head. It relies on pyiceberg's private API, which is asserted at import.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.manifest import DataFile, DataFileContent, ManifestEntry, ManifestEntryStatus, ManifestFile
from pyiceberg.table.snapshots import Operation, Snapshot
from pyiceberg.table.update.snapshot import _FastAppendFiles, _SnapshotProducer
from pyiceberg.typedef import EMPTY_DICT

from lakehouse.errors import CommitConflict, Terminal, Transient
from lakehouse.tables import staging, table_time
from lakehouse.tables.outcome import Attempt, has_all_since, last_sequence_number, took_effect

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.table import Table, Transaction
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import UpdatesAndRequirements

FILES = "lakehouse.files"  # what an append carries: JSON list of FileRecord
CARRIES = "lakehouse.carries"  # the same for appends that carry no files: JSON list of ids
INPUTS = "lakehouse.inputs"  # what a model's rows were computed from: JSON object
HEAD = "lakehouse.head"  # on `replace` snapshots: the snapshot whose rows these still are
COSTS = "lakehouse.costs"  # what computing a model took, see `models.costs`
CONTENT = "lakehouse.content"  # of a model's rows: their digest, see `content`

_PRIVATE_API = (
    "_validate_concurrency",
    "_refresh_for_retry",
    "_existing_manifests",
    "_cleanup_uncommitted",
    "_clean_all_uncommitted",
    "_commit",
)
for _name in _PRIVATE_API:
    if not inspect.isfunction(getattr(_SnapshotProducer, _name, None)):
        raise ImportError(
            f"pyiceberg has no _SnapshotProducer.{_name}: exactly-once commits need pyiceberg >=0.12,<0.13"
        )


@dataclass(frozen=True)
class FileRecord:
    """What became of one generation of a raw file; stands in the summary of the commit that carries its rows.

    Generation 0 is the file's first load; replay n tries again what generation n-1 left in quarantine.
    `set_aside` is the digest of what this one left there (`quarantine.write` returns it); empty in old commits. Of the
    rows in quarantine `parts` stand for a member of a zip or a sheet that was not read, which may hold many, and
    `no_records` are lines that hold none. `absent` names the columns that the file's header lacks, with commas between:
    of them its rows say nothing.
    """

    file_id: str
    bucket: str
    key: str
    version: str
    bytes: int
    received: int
    loaded: int
    duplicates: int
    quarantined: int
    started_at: str
    replay: int = 0
    set_aside: str = ""
    parts: int = 0
    no_records: int = 0
    absent: str = ""

    @property
    def id(self) -> str:
        """Return the id that its commit carries: the file's id, and for a replay a slash and its number."""
        return generation_id(self.file_id, self.replay)

    @property
    def balanced(self) -> bool:
        """Return whether no row of the file went missing."""
        return self.received == self.loaded + self.duplicates + self.quarantined


def generation_id(file_id: str, replay: int) -> str:
    """Return the id of one generation of a raw file, under which the guard knows it."""
    return f"{file_id}/{replay}" if replay else file_id


@dataclass(frozen=True)
class Committed:
    """A commit that took effect."""

    table: str
    snapshot_id: int


class AlreadyCommittedError(ValidationException):
    """Some of what this commit carries is in the table already."""

    def __init__(self, ids: set[str]) -> None:
        super().__init__(f"{len(ids)} of the ids of this commit are in the table already")
        self.ids = ids


class HeadMovedError(ValidationException):
    """Another writer committed rows, and this commit was planned without them."""


class DeleteFilesError(ValidationException):
    """Another engine has deleted rows by files that say which; a rewrite that does not apply them brings rows back."""


class KeepsCommittedManifests(_SnapshotProducer[Any]):
    """Keeps the manifests of a commit that was refused and took effect all the same; pyiceberg would delete them.

    Its snapshot is later than the table's last change, whatever the clock says.
    """

    def __init__(
        self,
        operation: Operation,
        transaction: Transaction,
        io: FileIO,
        snapshot_properties: dict[str, str] = EMPTY_DICT,
    ) -> None:
        super().__init__(operation, transaction, io, snapshot_properties=snapshot_properties)
        self._base_sequence_number = last_sequence_number(transaction.table_metadata)

    @property
    def attempt(self) -> Attempt:
        """Return what is known of the commit, and must be asked of the table when its answer is lost."""
        return Attempt(
            self.snapshot_id,
            self._base_sequence_number,
            {*self._written_manifests, *self._uncommitted_manifests},
            {file.file_path for file in self._added_data_files},
        )

    def _commit(self) -> UpdatesAndRequirements:
        updates, requirements = super()._commit()
        committed = self._transaction._table.metadata  # noqa: SLF001 - as the catalog has it, without what is staged
        return table_time.dated(updates, committed), requirements

    def _cleanup_uncommitted(self) -> None:
        """Delete what earlier attempts wrote, once a later one is in the table and no snapshot has expired since.

        One may have been an attempt that was said to have failed: others' snapshots may list its manifests.
        """
        if has_all_since(self._transaction._table.metadata, self._base_sequence_number):  # noqa: SLF001
            super()._cleanup_uncommitted()

    def _clean_all_uncommitted(self) -> None:
        if not took_effect(self._transaction._table, self.attempt):  # noqa: SLF001
            super()._clean_all_uncommitted()


class _GuardedAppend(KeepsCommittedManifests, _FastAppendFiles):
    carries: frozenset[str] = frozenset()
    exclusive: bool = False

    def _validate_concurrency(self) -> None:
        window = self._commit_window
        if window is None or window.is_empty():
            return
        metadata = self._transaction._table.metadata  # noqa: SLF001
        concurrent = list(_between(metadata, window.head, window.base))
        committed = self.carries & _carried_by(concurrent)
        if committed:
            raise AlreadyCommittedError(set(committed))
        if self.exclusive and any(_adds_rows(snapshot) for snapshot in concurrent):
            raise HeadMovedError("rows were added to the table since this batch looked for duplicates")


def carried(snapshot: Snapshot) -> set[str]:
    """Return the ids that a snapshot's commit carried."""
    ids = {record.id for record in file_records(snapshot)}
    return ids | set(json.loads(_property(snapshot, CARRIES) or "[]"))


def _carried_by(snapshots: Iterable[Snapshot]) -> set[str]:
    return {carried_id for snapshot in snapshots for carried_id in carried(snapshot)}


def file_records(snapshot: Snapshot) -> list[FileRecord]:
    """Return what a snapshot's summary says of the raw files in it."""
    return [as_record(row) for row in json.loads(_property(snapshot, FILES) or "[]")]


def as_record(row: dict[str, Any]) -> FileRecord:
    """Read a record as it was written: old ones lack fields that came later, new ones may have more."""
    return FileRecord(**{field.name: row[field.name] for field in fields(FileRecord) if field.name in row})


def inputs(table: Table) -> dict[str, str]:
    """Return what the current rows of a model's table were computed from; empty for a table never filled."""
    snapshot = table.current_snapshot()
    return {} if snapshot is None else inputs_of(snapshot)


def inputs_of(snapshot: Snapshot) -> dict[str, str]:
    """Return what the rows of a snapshot were computed from; empty where its commit does not say."""
    return dict(json.loads(_property(snapshot, INPUTS) or "{}"))


def head(table: Table | None) -> str:
    """Return the id of the snapshot whose rows the table holds; rewriting files does not change it."""
    snapshot = table.current_snapshot() if table is not None else None
    return "" if snapshot is None else head_of(snapshot)


def head_of(snapshot: Snapshot) -> str:
    """Return the id of the snapshot that brought the rows which this one holds."""
    return _property(snapshot, HEAD) or str(snapshot.snapshot_id)


def rewrites(snapshot: Snapshot) -> bool:
    """Return whether a snapshot only rewrote files: it brought no rows, and took none away."""
    return _property(snapshot, HEAD) is not None


def content(table: Table) -> str:
    """Return the digest of the table's rows; empty where nobody has noted it, as after another engine's commit."""
    snapshot = table.current_snapshot()
    return "" if snapshot is None else _property(snapshot, CONTENT) or ""


def same_rows_as(snapshot: Snapshot) -> dict[str, str]:
    """Return the summary's properties of a commit that only rewrites the files of `snapshot`.

    Whoever reads the table sees by them that its rows have not changed.
    """
    kept = {name: _property(snapshot, name) for name in (INPUTS, CONTENT, COSTS)}
    return {HEAD: head_of(snapshot)} | {name: value for name, value in kept.items() if value}


def append(  # noqa: PLR0913 - what a commit may say of itself
    table: Table,
    files: Sequence[DataFile],
    *,
    records: Sequence[FileRecord] = (),
    carries: Iterable[str] = (),
    exclusive: bool = False,
    already: Callable[[set[str]], set[str]] | None = None,
    computed_from: dict[str, str] | None = None,
) -> Committed:
    """Append data files in one commit together with the ids of what they carry.

    `already(ids)` returns those that the ledger lists, for commits whose summaries have expired; it is asked after
    the summaries of the metadata this transaction starts from. `exclusive` makes any concurrent append a conflict,
    for batches that compared themselves with the rows of the table. An append without data files still commits its
    ids. `computed_from` notes what all rows of the table are computed from now.

    Raises AlreadyCommittedError (nothing written), CommitConflict (plan again), Transient (outcome unknown and not
    found; the next attempt looks first).
    """
    ids = frozenset(carries) | {record.id for record in records}
    _check_each_once([file.file_path for file in files], "data file")
    _check_each_once([record.id for record in records], "raw file")
    transaction = staging.begin(table)
    committed = ids & _carried_by(transaction.table_metadata.snapshots)
    if not committed and already is not None:
        committed = ids & already(set(ids))
    if committed:
        raise AlreadyCommittedError(set(committed))
    producer = _GuardedAppend(
        operation=Operation.APPEND,
        transaction=transaction,
        io=table.io,
        snapshot_properties=_properties(records, ids, computed_from),
    )
    producer.carries, producer.exclusive = ids, exclusive
    for file in files:
        producer.append_data_file(file)
    return perform(table, producer)


def live_files(table: Table) -> list[DataFile]:
    """Return the data files of the table's current snapshot."""
    entries = live_entries(table)
    return [entry.data_file for entry in entries if entry.data_file.content == DataFileContent.DATA]


def live_entries(table: Table) -> list[ManifestEntry]:
    """Return the entries of the current snapshot's data files, and of other engines' delete files."""
    snapshot = table.current_snapshot()
    manifests = [] if snapshot is None else live_manifests(snapshot, table.io)
    return [
        entry
        for manifest in manifests
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    ]


def live_manifests(snapshot: Snapshot, io: FileIO) -> list[ManifestFile]:
    """Return the snapshot's manifests but for those that only say which files have gone."""
    return [
        manifest
        for manifest in snapshot.manifests(io)
        if manifest.has_added_files() or manifest.has_existing_files()
    ]


def changed_entry(
    entry: ManifestEntry, status: ManifestEntryStatus, snapshot_id: int | None
) -> ManifestEntry:
    """Return an entry for a new manifest; its file keeps the sequence number that it came with."""
    return ManifestEntry.from_args(
        status=status,
        snapshot_id=snapshot_id,
        sequence_number=entry.sequence_number,
        file_sequence_number=entry.file_sequence_number,
        data_file=entry.data_file,
    )


def perform(table: Table, producer: KeepsCommittedManifests) -> Committed:
    """Commit what a producer holds; after any error, look whether it took effect.

    Raises AlreadyCommittedError or CommitConflict when it did not and never will, so that its data files may be
    deleted, Terminal for a table with delete files that should be rewritten, and Transient when nobody knows.
    """
    name = ".".join(table.name())
    try:
        producer.commit()
        producer._transaction.commit_transaction()  # noqa: SLF001
    except Exception as error:
        # The catalog may have committed and then failed to say so, or refused a client that asked twice because it
        # never heard the first answer.
        if took_effect(table, producer.attempt):
            return Committed(name, producer.snapshot_id)
        if isinstance(error, AlreadyCommittedError):
            raise
        if isinstance(error, DeleteFilesError):
            raise Terminal(f"{name}: {error}") from error
        if isinstance(error, CommitFailedException | ValidationException):
            raise CommitConflict(f"{name}: {error}") from error
        kind = type(error).__name__
        raise Transient(
            f"{name}: the outcome of a commit is unknown ({kind}) and it is not in the table"
        ) from error
    return Committed(name, producer.snapshot_id)


def _check_each_once(names: Sequence[str], what: str) -> None:
    """Raise ValueError for a name that comes twice: pyiceberg would add the file twice, and so all of its rows."""
    if len(set(names)) != len(names):
        raise ValueError(f"a commit names {len(names) - len(set(names))} {what}s twice")


def _between(metadata: TableMetadata, last: Snapshot | None, base: Snapshot | None) -> Iterable[Snapshot]:
    """Yield the snapshots after `base` (None: the table's beginning) up to `last`.

    Raises HeadMovedError when the chain breaks before. Expiry breaks it silently: the snapshot behind the gap is
    left without a parent. The table's first one has sequence number 1, as the spec of Iceberg v2 says.
    """
    base_id = None if base is None else base.snapshot_id
    current = last
    while current is not None and current.snapshot_id != base_id:
        yield current
        if base is None and current.sequence_number == 1:
            return
        parent_id = current.parent_snapshot_id
        current = None if parent_id is None else metadata.snapshot_by_id(parent_id)
    if current is None:
        raise HeadMovedError("snapshots were expired while this commit was under way")


def _adds_rows(snapshot: Snapshot) -> bool:
    """Return whether a snapshot brought new rows; a rewrite adds records, too, and they are the old ones."""
    return int(_property(snapshot, "added-records") or 0) > 0 and not _property(snapshot, HEAD)


def _properties(
    records: Sequence[FileRecord], ids: frozenset[str], computed_from: dict[str, str] | None
) -> dict[str, str]:
    """Return what an append's summary says of the ids that it carries, and of what the table is computed from."""
    properties = {INPUTS: json.dumps(computed_from, sort_keys=True)} if computed_from else {}
    if records:
        properties[FILES] = json.dumps([asdict(record) for record in records])
    others = sorted(ids - {record.id for record in records})
    if others:
        properties[CARRIES] = json.dumps(others)
    return properties


def _property(snapshot: Snapshot, name: str) -> str | None:
    return snapshot.summary.additional_properties.get(name) if snapshot.summary else None
