"""Which raw files are in: told by commit summaries first, by the ledger table once those have expired."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from lakehouse import aws, objects
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.commit import FileRecord, file_records
from lakehouse.tables.contracts import LEDGER

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

PREFIX = "ledger/"


def in_ledger(catalog: Catalog, ids: set[str]) -> set[str]:
    """Return those of the file ids that `ops.ingest_ledger` lists."""
    table = catalogs.load(catalog, LEDGER.name)
    if table is None or table.current_snapshot() is None or not ids:
        return set()
    listed = ", ".join(f"'{file_id}'" for file_id in sorted(ids))  # hexadecimal digits, all of them
    found = table.scan(row_filter=f"file_id in ({listed})", selected_fields=("file_id",)).to_arrow()
    return set(found.column("file_id").to_pylist())


def in_summaries(table: Table | None) -> Iterator[tuple[int, int, FileRecord]]:
    """Yield (snapshot id, commit time in ms, record) for each raw file that a live snapshot's summary names."""
    for snapshot in table.metadata.snapshots if table is not None else []:
        for record in file_records(snapshot):
            yield snapshot.snapshot_id, snapshot.timestamp_ms, record


def known(catalog: Catalog, table: Table, ids: set[str]) -> set[str]:
    """Return those of the file ids whose rows are in the table."""
    found = ids & {record.file_id for _, _, record in in_summaries(table)}
    return found | in_ledger(catalog, ids - found)


def note_tableless(bucket: str, record: FileRecord) -> None:
    """Note a file that no table takes (unknown source) as an object; twice is once."""
    objects.put_once(bucket, f"{PREFIX}{record.file_id}.json", json.dumps(asdict(record)).encode())


def tableless(bucket: str) -> Iterator[FileRecord]:
    """Yield the records of the files that no table takes."""
    for page in aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        for entry in page.get("Contents", []):
            body = aws.s3().get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            yield FileRecord(**json.loads(body))
