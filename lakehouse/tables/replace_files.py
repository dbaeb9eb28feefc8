"""Replaces data files or manifests by others in one commit, next to live appenders: optimistic concurrency.

Each attempt starts from the head of that moment: what others appended meanwhile stays, and every file that is to go
must still be live there. Relies on the private API of pyiceberg that `commit` asserts at import.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from pyiceberg.exceptions import ValidationException
from pyiceberg.manifest import (
    DATA_FILE_TYPE,
    DEFAULT_READ_VERSION,
    DataFile,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
)
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.typedef import EMPTY_DICT

from lakehouse.batching import batches
from lakehouse.errors import CommitConflict
from lakehouse.tables import staging, table_time
from lakehouse.tables.commit import (
    Committed,
    DeleteFilesError,
    HeadMovedError,
    KeepsCommittedManifests,
    changed_entry,
    live_manifests,
    perform,
    same_rows_as,
)
from lakehouse.tables.policy import ManifestPolicy

if TYPE_CHECKING:
    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table, Transaction
    from pyiceberg.table.snapshots import Snapshot


def replace_files(
    table: Table, removed: Sequence[DataFile], added: Sequence[DataFile], *, same_rows: bool
) -> Committed:
    """Remove exactly these data files of the table and add others, in one commit.

    `same_rows` promises that `added` holds the rows of `removed`: the snapshot is a `replace`, and whoever watches
    the table sees nothing new. Without it the snapshot is an `overwrite`, and the table's head moves.

    Raises ValueError when the record counts contradict `same_rows`, CommitConflict when a file of `removed` is not
    live any more (nothing is committed, the files of `added` may be deleted), Terminal when another engine's delete
    files say that rows of the table have gone, and Transient when the outcome is unknown and the commit was not
    found: `added` must stay, should it take effect later.
    """
    if not removed and not added:
        raise ValueError("there is nothing to replace")
    rows_before, rows_after = _rows(removed), _rows(added)
    if same_rows and rows_before != rows_after:
        raise ValueError(f"{'.'.join(table.name())}: {rows_before} rows would be replaced by {rows_after}")
    producer = _producer(table, same_rows=same_rows)
    for file in removed:
        producer.delete_data_file(file)
    for file in added:
        producer.append_data_file(file)
    return perform(table, producer)


def replace_some(
    table: Table,
    removed: Sequence[DataFile],
    added: Sequence[DataFile],
    *,
    noted: dict[str, str],
    base: int,
) -> Committed:
    """Replace some of a table's files by others with other rows; the other files stay.

    `noted` are properties of the snapshot. `base` is the snapshot id that `removed` and `added` were found by: raises
    CommitConflict when another writer was first, and as `replace_files` does.
    """
    transaction = staging.begin(table)
    current = transaction.table_metadata.current_snapshot()
    if current is None or current.snapshot_id != base:
        raise CommitConflict(f"{'.'.join(table.name())} was written by another run; look again")
    producer = _ReplaceSome(Operation.OVERWRITE, transaction, table.io, noted)
    producer.same_rows, producer.spec_id, producer.entries = False, table.spec().spec_id, {}
    for file in removed:
        producer.delete_data_file(file)
    for file in added:
        producer.append_data_file(file)
    return perform(table, producer)


def _rows(files: Iterable[DataFile]) -> int:
    return sum(file.record_count for file in files)


def replace_manifests(
    table: Table, *, target: int = ManifestPolicy.target_bytes, merge: bool = True
) -> Committed:
    """Write the manifests that are smaller than half of `target` bytes anew, as few; the data files stay.

    So are those that say of a file that it is sorted: what is written here claims no sort order. Without `merge` it is
    only these. Raises like `replace_files`.
    """
    producer = _producer(table, same_rows=True)
    if table.current_snapshot() is None:
        raise ValueError(f"{'.'.join(table.name())} has no manifests")
    producer.merge_below = target // 2 if merge else 0
    producer.drops_claims = True
    producer.target_bytes = target
    return perform(table, producer)


def small_manifests(
    manifests: Iterable[ManifestFile], target: int = ManifestPolicy.target_bytes
) -> list[ManifestFile]:
    """Return those manifests that `replace_manifests` would write anew."""
    return [manifest for manifest in manifests if manifest.manifest_length < target // 2]


def stage_in_order(transaction: Transaction) -> None:
    """Let a transaction that makes no snapshot, and is to change the metadata, be later than the table's last change.

    The catalog dates such a change by the clock. Where that stands before the table's last change, the transaction
    begins with a snapshot of the same rows, which brings a time of its own. A table that never held rows has none
    to offer: its changes wait for the clock, or for its first rows. Nor does one with another engine's delete files.
    """
    table = transaction._table  # noqa: SLF001
    head = table.current_snapshot()
    if head is None or not table_time.is_behind(table.metadata):
        return
    if all(manifest.content == ManifestContent.DATA for manifest in live_manifests(head, table.io)):
        _replace(transaction, same_rows=True, spec_id=table.spec().spec_id).commit()


def _producer(table: Table, *, same_rows: bool) -> _Replace:
    spec_id = table.spec().spec_id  # files to add were written for the table as the caller knows it
    table.refresh()  # finding out by a failed attempt takes longer
    return _replace(staging.begin(table), same_rows=same_rows, spec_id=spec_id)


def _replace(transaction: Transaction, *, same_rows: bool, spec_id: int) -> _Replace:
    io = transaction._table.io  # noqa: SLF001
    producer = _Replace(operation=Operation.OVERWRITE, transaction=transaction, io=io)
    producer.same_rows, producer.spec_id, producer.entries = same_rows, spec_id, {}
    return producer


class _Replace(KeepsCommittedManifests):
    """Builds the snapshot anew from the head at each attempt; `entries` keeps what manifests said, by path."""

    same_rows: bool
    spec_id: int
    entries: dict[str, list[ManifestEntry]]
    merge_below: int = 0
    drops_claims: bool = False
    target_bytes: int = ManifestPolicy.target_bytes

    def _validate_concurrency(self) -> None:
        """Allow every concurrent commit: `_deleted_entries` checks against the head itself."""

    def _build_delete_files_partition_predicate(self) -> None:
        """Build none: files are found by their path; a predicate over many partitions is too deep to evaluate."""

    def _deleted_entries(self) -> list[ManifestEntry]:
        """Return the entries to delete, as the head has them; ValidationException when it does not hold all of them."""
        manifests = self._live_manifests()
        self._check_head(manifests)
        if not self._deleted_data_files:
            return []
        live = chain.from_iterable(self._entries_of(manifest) for manifest in manifests)
        removed = [entry for entry in live if entry.data_file in self._deleted_data_files]
        if len(removed) != len(self._deleted_data_files):
            missing = len(self._deleted_data_files - {entry.data_file for entry in removed})
            raise ValidationException(
                f"{missing} of {len(self._deleted_data_files)} data files to replace are not in the table any more"
            )
        return [changed_entry(entry, ManifestEntryStatus.DELETED, self.snapshot_id) for entry in removed]

    def _check_head(self, manifests: list[ManifestFile]) -> None:
        """Raise ValidationException for a head whose rows this commit would not replace by the same rows."""
        if any(manifest.content != ManifestContent.DATA for manifest in manifests):
            raise DeleteFilesError(
                "another engine has deleted rows by delete files, which no rewrite of ours applies; let that engine "
                "rewrite the files (Spark: CALL system.rewrite_data_files), or see docs/engines.md"
            )
        if self._added_data_files and self._transaction.table_metadata.spec().spec_id != self.spec_id:
            raise ValidationException("the table has got another partition spec than the files to add")

    def _existing_manifests(self) -> list[ManifestFile]:
        """Return the head's manifests as they are, but for those to be written anew: their live entries merged."""
        kept: list[ManifestFile] = []
        survivors: dict[int, list[ManifestEntry]] = defaultdict(list)
        sizes: dict[int, int] = defaultdict(int)
        for manifest in self._live_manifests():
            if not self._is_rewritten(manifest):
                kept.append(manifest)
                continue
            entries = self._entries_of(manifest)
            remaining = [entry for entry in entries if entry.data_file not in self._deleted_data_files]
            survivors[manifest.partition_spec_id] += remaining
            sizes[manifest.partition_spec_id] += manifest.manifest_length * len(remaining) // len(entries)
        for spec_id, remaining in survivors.items():
            kept += self._write_merged(spec_id, remaining, sizes[spec_id])
        return kept

    def _summary(self, snapshot_properties: dict[str, str] = EMPTY_DICT) -> Summary:
        """Return the summary; pyiceberg computes totals for its own operations only, and `replace` is not one."""
        summary = super()._summary(snapshot_properties)
        head = self._head()
        if not self.same_rows or head is None:
            return summary
        return Summary(Operation.REPLACE, **(summary.additional_properties | same_rows_as(head)))

    def _head(self) -> Snapshot | None:
        parent = self._parent_snapshot_id
        return None if parent is None else self._transaction.table_metadata.snapshot_by_id(parent)

    def _live_manifests(self) -> list[ManifestFile]:
        head = self._head()
        return live_manifests(head, self._io) if head is not None else []

    def _entries_of(self, manifest: ManifestFile) -> list[ManifestEntry]:
        path = manifest.manifest_path
        if path not in self.entries:
            self.entries[path] = self.fetch_manifest_entry(manifest)
        return self.entries[path]

    def _is_rewritten(self, manifest: ManifestFile) -> bool:
        if manifest.manifest_length < self.merge_below:
            return True
        if not self._deleted_data_files and not self.drops_claims:
            return False
        return any(
            entry.data_file in self._deleted_data_files
            or (self.drops_claims and entry.data_file.sort_order_id)
            for entry in self._entries_of(manifest)
        )

    def _write_merged(self, spec_id: int, entries: list[ManifestEntry], size: int) -> Iterator[ManifestFile]:
        """Write entries of `size` bytes into manifests of about the target size, in the order of their partitions."""
        entries.sort(key=_partition_sort_key)
        manifests = max(math.ceil(size / self.target_bytes), 1)
        entries_each = max(math.ceil(len(entries) / manifests), 1)
        for batch in batches(entries, count=entries_each):
            with self.new_manifest_writer(self.spec(spec_id)) as writer:
                for entry in batch:
                    kept = changed_entry(entry, ManifestEntryStatus.EXISTING, entry.snapshot_id)
                    kept.data_file = _without_claim(entry.data_file)
                    writer.add_entry(kept)
            yield writer.to_manifest_file()


class _ReplaceSome(_Replace):
    """Replaces files of the very snapshot that it was planned on."""

    def _validate_concurrency(self) -> None:
        window = self._commit_window
        if window is not None and not window.is_empty():
            raise HeadMovedError("the table has changed since its new content was computed")


def _without_claim(file: DataFile) -> DataFile:
    """Return the file as it is but for the claim that it is sorted, which engines would believe."""
    if not file.sort_order_id:
        return file
    names = [field.name for field in DATA_FILE_TYPE[DEFAULT_READ_VERSION].fields]
    said = [None if name == "sort_order_id" else file[position] for position, name in enumerate(names)]
    unclaimed = DataFile(*said)
    unclaimed.spec_id = file.spec_id
    return unclaimed


def _partition_sort_key(entry: ManifestEntry) -> tuple[Any, ...]:
    """Return what orders entries by partition, null first."""
    partition = entry.data_file.partition
    values = [partition[position] for position in range(len(partition))]
    return tuple((value is not None, value) for value in values)
