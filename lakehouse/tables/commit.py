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
from pyiceberg.table.snapshots import Operation, Snapshot
from pyiceberg.table.update.snapshot import _FastAppendFiles, _OverwriteFiles, _SnapshotProducer

from lakehouse.errors import CommitConflict, Transient

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata

FILES = "lakehouse.files"  # what an append carries: JSON list of FileRecord
CARRIES = "lakehouse.carries"  # the same for appends that carry no files: JSON list of ids
INPUTS = "lakehouse.inputs"  # what a model's rows were computed from: JSON object
HEAD = "lakehouse.head"  # on `replace` snapshots: the snapshot whose rows these still are

_PRIVATE_API = (
    "_validate_concurrency",
    "_refresh_for_retry",
    "_existing_manifests",
    "_clean_all_uncommitted",
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
    `set_aside` is the digest of what this one left there (`quarantine.write` returns it); empty in old commits.
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


class KeepsCommittedManifests(_SnapshotProducer[Any]):
    """Keeps the manifests of a commit that was refused and took effect all the same; pyiceberg would delete them."""

    def _clean_all_uncommitted(self) -> None:
        if not _is_committed(self._transaction._table, self._snapshot_id):  # noqa: SLF001
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


class _ReplaceAll(KeepsCommittedManifests, _OverwriteFiles):
    def _validate_concurrency(self) -> None:
        window = self._commit_window
        if window is None or window.is_empty():  # the schema changed, say, and no row
            return
        raise HeadMovedError("the table has changed since its new content was computed")


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
    if snapshot is None:
        return {}
    computed_from: dict[str, str] = json.loads(_property(snapshot, INPUTS) or "{}")
    return computed_from


def head(table: Table | None) -> str:
    """Return the id of the snapshot whose rows the table holds; rewriting files does not change it."""
    snapshot = table.current_snapshot() if table is not None else None
    return "" if snapshot is None else head_of(snapshot)


def head_of(snapshot: Snapshot) -> str:
    """Return the id of the snapshot that brought the rows which this one holds."""
    return _property(snapshot, HEAD) or str(snapshot.snapshot_id)


def same_rows_as(snapshot: Snapshot) -> dict[str, str]:
    """Return the summary's properties of a commit that only rewrites the files of `snapshot`.

    Whoever reads the table sees by them that its rows have not changed.
    """
    computed_from = _property(snapshot, INPUTS)
    return {HEAD: head_of(snapshot)} | ({INPUTS: computed_from} if computed_from else {})


def append(
    table: Table,
    files: Sequence[DataFile],
    *,
    records: Sequence[FileRecord] = (),
    carries: Iterable[str] = (),
    exclusive: bool = False,
    already: Callable[[set[str]], set[str]] | None = None,
) -> Committed:
    """Append data files in one commit together with the ids of what they carry.

    `already(ids)` returns those that the ledger lists, for commits whose summaries have expired; it is asked after
    the summaries of the metadata this transaction starts from. `exclusive` makes any concurrent append a conflict,
    for batches that compared themselves with the rows of the table. An append without data files still commits its
    ids.

    Raises AlreadyCommittedError (nothing written), CommitConflict (plan again), Transient (outcome unknown and not
    found; the next attempt looks first).
    """
    ids = frozenset(carries) | {record.id for record in records}
    transaction = table.transaction()
    committed = ids & _carried_by(transaction.table_metadata.snapshots)
    if not committed and already is not None:
        committed = ids & already(set(ids))
    if committed:
        raise AlreadyCommittedError(set(committed))
    producer = _GuardedAppend(
        operation=Operation.APPEND,
        transaction=transaction,
        io=table.io,
        snapshot_properties=_properties(records, ids),
    )
    producer.carries, producer.exclusive = ids, exclusive
    for file in files:
        producer.append_data_file(file)
    return perform(table, producer)


def replace_all(
    table: Table, files: Sequence[DataFile], *, computed_from: dict[str, str], base: int | None
) -> Committed:
    """Replace the whole content of a table, and note what it was computed from.

    `base` is the snapshot id the computation began with (None for a table without one). Raises CommitConflict
    when another writer was first: what it wrote may be newer.
    """
    transaction = table.transaction()
    current = transaction.table_metadata.current_snapshot()
    current_id = None if current is None else current.snapshot_id
    if current_id != base:
        raise CommitConflict(f"{'.'.join(table.name())} was written by another run; look again")
    producer = _ReplaceAll(
        operation=Operation.OVERWRITE,
        transaction=transaction,
        io=table.io,
        snapshot_properties={INPUTS: json.dumps(computed_from, sort_keys=True)},
    )
    for file in live_files(table):
        producer.delete_data_file(file)
    for file in files:
        producer.append_data_file(file)
    return perform(table, producer)


def live_files(table: Table) -> list[DataFile]:
    """Return the data files of the table's current snapshot."""
    snapshot = table.current_snapshot()
    if snapshot is None:
        return []
    return [
        entry.data_file
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    ]


def perform(table: Table, producer: _SnapshotProducer[Any]) -> Committed:
    """Commit what a producer holds; after any error, look whether it took effect.

    Raises AlreadyCommittedError or CommitConflict when it did not and never will, so that its data files may be
    deleted, and Transient when nobody knows.
    """
    name = ".".join(table.name())
    snapshot_id = producer.snapshot_id  # the same through all retries
    try:
        producer.commit()
        producer._transaction.commit_transaction()  # noqa: SLF001
    except Exception as error:
        # The catalog may have committed and then failed to say so, or refused a client that asked twice because it
        # never heard the first answer.
        if _is_committed(table, snapshot_id):
            return Committed(name, snapshot_id)
        if isinstance(error, AlreadyCommittedError):
            raise
        if isinstance(error, CommitFailedException | ValidationException):
            raise CommitConflict(f"{name}: {error}") from error
        raise Transient(f"{name}: the outcome of a commit is unknown and it is not in the table") from error
    return Committed(name, snapshot_id)


def _is_committed(table: Table, snapshot_id: int) -> bool:
    try:
        return table.refresh().metadata.snapshot_by_id(snapshot_id) is not None
    except Exception as error:
        raise Transient(
            f"{'.'.join(table.name())}: the outcome of a commit is unknown and the catalog does not answer"
        ) from error


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


def _properties(records: Sequence[FileRecord], ids: frozenset[str]) -> dict[str, str]:
    """Return what an append's summary says of the ids that it carries."""
    properties = {}
    if records:
        properties[FILES] = json.dumps([asdict(record) for record in records])
    others = sorted(ids - {record.id for record in records})
    if others:
        properties[CARRIES] = json.dumps(others)
    return properties


def _property(snapshot: Snapshot, name: str) -> str | None:
    return snapshot.summary.additional_properties.get(name) if snapshot.summary else None
