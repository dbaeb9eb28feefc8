"""Replaces what a table holds as a whole: by new rows, or by the news that the same rows have newer inputs.

Relies on the private API of pyiceberg that `commit` asserts at import.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, TypeVar

from pyiceberg.manifest import DataFile, DataFileContent, ManifestEntry, ManifestEntryStatus, ManifestFile
from pyiceberg.table.snapshots import Operation, Snapshot, Summary
from pyiceberg.typedef import EMPTY_DICT, Record

from lakehouse.engine.escape import identifier
from lakehouse.errors import CommitConflict
from lakehouse.tables import data_files, staging
from lakehouse.tables.commit import (
    CONTENT,
    COSTS,
    INPUTS,
    Committed,
    HeadMovedError,
    KeepsCommittedManifests,
    changed_entry,
    live_entries,
    live_manifests,
    perform,
    same_rows_as,
)

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.table import Table

_FILE = "_file_of_row"


class _ReplaceAll(KeepsCommittedManifests):
    """Replaces all that the head holds, and keeps none of its manifests: `replaced` are the head's live entries."""

    replaced: Sequence[ManifestEntry] = ()

    def _validate_concurrency(self) -> None:
        window = self._commit_window
        if window is None or window.is_empty():  # the schema changed, say, and no row
            return
        raise HeadMovedError("the table has changed since its new content was computed")

    def _build_delete_files_partition_predicate(self) -> None:
        """Build none: everything goes, and a predicate over many partitions is too deep to evaluate."""

    def _deleted_entries(self) -> list[ManifestEntry]:
        """Return the data files that go. Other engines' delete files go with them; no manifest of ours names any."""
        return [
            changed_entry(entry, ManifestEntryStatus.DELETED, self.snapshot_id)
            for entry in self.replaced
            if entry.data_file.content == DataFileContent.DATA
        ]

    def _existing_manifests(self) -> list[ManifestFile]:
        return []


class _ReplaceSome(_ReplaceAll):
    """Replaces some of what the head holds: `kept` are the live entries that stay."""

    kept: Sequence[ManifestEntry] = ()

    def _existing_manifests(self) -> list[ManifestFile]:
        manifests = []
        for spec_id in sorted({entry.data_file.spec_id for entry in self.kept}):
            with self.new_manifest_writer(self.spec(spec_id)) as writer:
                for entry in self.kept:
                    if entry.data_file.spec_id == spec_id:
                        writer.add_entry(
                            changed_entry(entry, ManifestEntryStatus.EXISTING, entry.snapshot_id)
                        )
            manifests.append(writer.to_manifest_file())
        return manifests


class _SameContent(_ReplaceAll):
    """Leaves the head's files as they are, and notes what their rows were computed from now."""

    def _deleted_entries(self) -> list[ManifestEntry]:
        return []

    def _existing_manifests(self) -> list[ManifestFile]:
        return live_manifests(self._head, self._io)

    def _summary(self, snapshot_properties: dict[str, str] = EMPTY_DICT) -> Summary:
        summary = super()._summary(snapshot_properties).additional_properties
        return Summary(Operation.REPLACE, **(summary | same_rows_as(self._head) | self.snapshot_properties))

    @property
    def _head(self) -> Snapshot:
        head_now = self._transaction.table_metadata.current_snapshot()
        if head_now is None:
            raise HeadMovedError("the table has lost its content since it was computed")
        return head_now


_Replacing = TypeVar("_Replacing", bound=_ReplaceAll)


def replace_all(
    table: Table,
    files: Sequence[DataFile],
    *,
    computed_from: dict[str, str],
    base: int | None,
    content: str = "",
    costs: str = "",
) -> Committed:
    """Replace the whole content of a table, and note what it was computed from.

    `base` is the snapshot id the computation began with (None for a table without one). `content` is the digest of
    the new rows, for `note_inputs`, `costs` a note of what computing them took. Raises CommitConflict when another
    writer was first: what it wrote may be newer.
    """
    producer = _planned_on(table, base, _ReplaceAll, computed_from, content, costs)
    return _replace(table, producer, live_entries(table), files)


def entries_of(table: Table, partitions: Collection[Record]) -> list[ManifestEntry] | None:
    """Return the entries of the table's data files of some partitions.

    None where it has another engine's delete files, or files of another partition spec than it has now.
    """
    entries = live_entries(table)
    spec_id = table.spec().spec_id
    for entry in entries:
        if entry.data_file.content != DataFileContent.DATA or entry.data_file.spec_id != spec_id:
            return None
    return [entry for entry in entries if entry.data_file.partition in partitions]


def entries_holding(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    entries: Sequence[ManifestEntry],
    key: Sequence[str],
    rows: str,
) -> list[ManifestEntry]:
    """Return those of some data files that hold a row with the key of one of the relation `rows`.

    Where none does, it is the smallest file.
    """
    names = ", ".join(map(identifier, key))
    held = data_files.read_sql(table, [entry.data_file.file_path for entry in entries], file_column=_FILE)
    found = con.execute(
        f"SELECT DISTINCT {_FILE} FROM ({held}) WHERE hash({names}) IN (SELECT hash({names}) FROM {rows})"
    ).fetchall()
    paths = {data_files.plain_path(path) for (path,) in found}
    touched = [entry for entry in entries if data_files.plain_path(entry.data_file.file_path) in paths]
    return touched or [min(entries, key=lambda entry: entry.data_file.record_count)]


def replace_some(  # noqa: PLR0913 - what a commit says of itself
    table: Table,
    replaced: Sequence[ManifestEntry],
    files: Sequence[DataFile],
    *,
    computed_from: dict[str, str],
    base: int | None,
    content: str = "",
    costs: str = "",
) -> Committed:
    """Replace some of a table's data files, by their entries, and note what all of its rows were computed from.

    Raises like `replace_all`.
    """
    producer = _planned_on(table, base, _ReplaceSome, computed_from, content, costs)
    gone = {entry.data_file.file_path for entry in replaced}
    producer.kept = [entry for entry in live_entries(table) if entry.data_file.file_path not in gone]
    return _replace(table, producer, replaced, files)


def _replace(
    table: Table, producer: _ReplaceAll, replaced: Sequence[ManifestEntry], files: Sequence[DataFile]
) -> Committed:
    producer.replaced = replaced
    for entry in replaced:
        producer.delete_data_file(entry.data_file)
    for file in files:
        producer.append_data_file(file)
    return perform(table, producer)


def note_inputs(
    table: Table, *, computed_from: dict[str, str], base: int | None, costs: str = ""
) -> Committed:
    """Note that the rows which the table holds are also what its newer inputs give: its head does not move.

    Raises like `replace_all`.
    """
    return perform(table, _planned_on(table, base, _SameContent, computed_from, "", costs))


def _planned_on(
    table: Table,
    base: int | None,
    kind: type[_Replacing],
    computed_from: dict[str, str],
    content: str,
    costs: str,
) -> _Replacing:
    """Return a producer for the table as it was when the computation began; CommitConflict when it has moved."""
    transaction = staging.begin(table)
    current = transaction.table_metadata.current_snapshot()
    current_id = None if current is None else current.snapshot_id
    if current_id != base:
        raise CommitConflict(f"{'.'.join(table.name())} was written by another run; look again")
    noted = {INPUTS: json.dumps(computed_from, sort_keys=True), CONTENT: content, COSTS: costs}
    noted = {name: text for name, text in noted.items() if text}
    return kind(Operation.OVERWRITE, transaction, table.io, noted)
