"""What a table's metadata claims of its files, held against what is in them, as another engine would take it."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.conversions import from_bytes
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFileContent, ManifestEntryStatus
from pyiceberg.table.sorting import NullOrder, SortDirection

from lakehouse.tables.commit import live_entries, live_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

_EPOCH = dt.date(1970, 1, 1)
_FIELD_ID = b"PARQUET:field_id"


def false_claims(table: Table, most: int = 40) -> list[str]:
    """Return what is claimed of up to so many of a table's files and is not so, in words."""
    files = live_files(table)
    step = max(len(files) // most, 1)
    name = ".".join(table.name())
    wrong = [*_wrong_totals(table), *_wrong_manifests(table)]
    wrong += [told for file in files[::step] for told in _wrong(table, file)]
    return [f"{name}: {told}" for told in wrong]


def _wrong_totals(table: Table) -> Iterator[str]:
    """Yield the totals of the current snapshot's summary that are not so: engines answer `count(*)` by them."""
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return
    files = [entry.data_file for entry in live_entries(table)]
    data = [file for file in files if file.content == DataFileContent.DATA]
    true = {
        "total-records": sum(file.record_count for file in data),
        "total-data-files": len(data),
        "total-delete-files": len(files) - len(data),
        "total-files-size": sum(file.file_size_in_bytes for file in files),
    }
    for what, number in true.items():
        claimed = snapshot.summary.additional_properties.get(what)
        if claimed is None or int(claimed) != number:
            yield f"{what} {claimed} instead of {number}"


def _wrong_manifests(table: Table) -> Iterator[str]:
    """Yield what the manifest list says of a manifest and is not so: engines leave out manifests by it."""
    snapshot = table.current_snapshot()
    for manifest in snapshot.manifests(table.io) if snapshot else ():
        entries = manifest.fetch_manifest_entry(table.io, discard_deleted=False)
        for status, files, rows in (
            (ManifestEntryStatus.ADDED, manifest.added_files_count, manifest.added_rows_count),
            (ManifestEntryStatus.EXISTING, manifest.existing_files_count, manifest.existing_rows_count),
            (ManifestEntryStatus.DELETED, manifest.deleted_files_count, manifest.deleted_rows_count),
        ):
            counted = [entry.data_file.record_count for entry in entries if entry.status == status]
            if (len(counted), sum(counted)) != (files or 0, rows or 0):
                yield f"a manifest: {len(counted)} files of {sum(counted)} rows {status.name.lower()}"
        yield from _wrong_partition_summaries(table, manifest, entries)


def _wrong_partition_summaries(table: Table, manifest: Any, entries: Any) -> Iterator[str]:
    spec = table.specs()[manifest.partition_spec_id]
    if len(manifest.partitions or ()) != len(spec.fields):
        yield "a manifest: no summary of its partitions"
        return
    for position, part in enumerate(spec.fields):
        summary = manifest.partitions[position]
        values = [entry.data_file.partition[position] for entry in entries]
        known = [value for value in values if value is not None]
        if len(known) < len(values) and not summary.contains_null:
            yield f"a manifest: {part.name} has nulls"
        kind = part.transform.result_type(table.schema().find_type(part.source_id))
        bounds = (summary.lower_bound, summary.upper_bound)
        if known and None not in bounds:
            low, high = (from_bytes(kind, bound) for bound in bounds)
            if not (low <= min(known) and max(known) <= high):
                yield f"a manifest: bounds of {part.name} that leave out values"
        elif known:
            yield f"a manifest: no bounds of {part.name}"


def _wrong(table: Table, file: DataFile) -> Iterator[str]:
    with table.io.new_input(file.file_path).open() as stream:
        stream.seek(0, 2)
        size = stream.tell()
        stream.seek(0)
        rows = pq.ParquetFile(stream).read()
    if (rows.num_rows, size) != (file.record_count, file.file_size_in_bytes):
        yield f"{rows.num_rows} rows in {size} bytes"
    by_id = {int(field.metadata[_FIELD_ID]): field.name for field in rows.schema if field.metadata}
    if len(by_id) != len(rows.schema):
        yield "a column without field id"
    expected = {field.field_id: field.name for field in table.schema().fields}
    if any(expected.get(field_id, name) != name for field_id, name in by_id.items()):
        yield "field ids of other columns"
    types = schema_to_pyarrow(table.schema())
    for field in table.schema().fields:
        if field.field_id in by_id:
            column = rows.column(by_id[field.field_id])
            kind = types.field(field.name).type
            if not _is_stored_as(column.type, kind):
                yield f"{field.name}: {column.type} instead of {kind}"
            column = column.cast(kind)
            yield from _wrong_of_column(table, file, field, column)
    yield from _wrong_partition(
        table, file, {field_id: rows.column(name) for field_id, name in by_id.items()}
    )
    if not _is_sorted(table, file, {field_id: rows.column(name) for field_id, name in by_id.items()}):
        yield "claims a sort order and is not sorted"


def _is_stored_as(stored: pa.DataType, claimed: pa.DataType) -> bool:
    """Return whether a column is stored as its Iceberg type says: readers prune by raw values, in its units.

    Lists and maps may call their elements otherwise.
    """
    plain = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}
    if pa.types.is_nested(claimed):
        return stored.id == claimed.id or {stored.id, claimed.id} == {
            pa.list_(pa.null()).id,
            pa.large_list(pa.null()).id,
        }
    return plain.get(stored, stored) == plain.get(claimed, claimed)


def _wrong_of_column(table: Table, file: DataFile, field: Any, column: pa.ChunkedArray) -> Iterator[str]:
    if file.value_counts.get(field.field_id) != len(column):
        yield f"{field.name}: another number of values"
    if file.null_value_counts.get(field.field_id) != column.null_count:
        yield f"{field.name}: {column.null_count} nulls"
    lower, upper = file.lower_bounds.get(field.field_id), file.upper_bounds.get(field.field_id)
    hidden = table.properties.get(f"write.metadata.metrics.column.{field.name}") == "none"
    if hidden and (lower is not None or upper is not None):
        yield f"{field.name}: bounds of personal data"
    if lower is None or upper is None or column.null_count == len(column):
        return
    least, most = (_stored(value.as_py()) for value in pc.min_max(column).values())
    low, high = (from_bytes(field.field_type, bound) for bound in (lower, upper))
    if isinstance(least, str):
        least, most, low, high = (text.encode() for text in (least, most, low, high))
    if not (low <= least and most <= high):
        yield f"{field.name}: bounds that leave out values"


def _wrong_partition(table: Table, file: DataFile, columns: dict[int, pa.ChunkedArray]) -> Iterator[str]:
    for position, part in enumerate(table.specs()[file.spec_id].fields):
        source_type = table.schema().find_type(part.source_id)
        transform = part.transform.transform(source_type)
        found = {transform(_stored(value)) for value in columns[part.source_id].unique().to_pylist()}
        if found != {file.partition[position]}:
            yield f"{part.name}: rows of {len(found)} partitions, or of another"


def _is_sorted(table: Table, file: DataFile, columns: dict[int, pa.ChunkedArray]) -> bool:
    order = table.sort_orders().get(file.sort_order_id or 0)
    if not file.sort_order_id or order is None:
        return True
    keys = [
        [_sort_key(_stored(value), part) for value in columns[part.source_id].to_pylist()]
        for part in order.fields
    ]
    rows = list(zip(*keys, strict=True))
    return all(earlier <= later for earlier, later in pairwise(rows))


def _sort_key(value: Any, part: Any) -> tuple[bool, Any]:
    assert part.direction == SortDirection.ASC
    nulls_first = part.null_order == NullOrder.NULLS_FIRST
    if value is None:
        return (not nulls_first, 0)
    return (nulls_first, value.encode() if isinstance(value, str) else value)


def _stored(value: Any) -> Any:
    """Return a value as Iceberg stores it: days and microseconds since 1970."""
    if isinstance(value, dt.datetime):
        since = value - dt.datetime(1970, 1, 1, tzinfo=value.tzinfo)
        return since // dt.timedelta(microseconds=1)
    if isinstance(value, dt.date):
        return (value - _EPOCH).days
    return value
