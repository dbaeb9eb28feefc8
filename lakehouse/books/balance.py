"""Whether the books balance: for every raw file received = loaded + duplicates + quarantined, and it is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.landing.files import listing
from lakehouse.tables import ledger
from lakehouse.tables.commit import FileRecord
from lakehouse.tables.contracts import LEDGER

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table


@dataclass(frozen=True)
class Ingested:
    """The counts over all raw files. `unbalanced` names the tables or file ids whose rows do not add up."""

    files: int
    received: int
    loaded: int
    duplicates: int
    quarantined: int
    in_flight: int
    unbalanced: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the counts under the names that `status --json` uses."""
        names = ("files", "received", "loaded", "duplicates", "quarantined", "in_flight")
        return {name: getattr(self, name) for name in names} | {"balanced": not self.unbalanced}


def records(settings: Settings, tables: dict[str, Table]) -> dict[str, tuple[str, FileRecord]]:
    """Return (table, record) by file id, from the ledger, the commit summaries and the tableless files."""
    found: dict[str, tuple[str, FileRecord]] = {}
    for row in _ledger_rows(tables.get(LEDGER.name)):
        found[row["file_id"]] = (row.pop("table_name") or "", FileRecord(**row))
    for name, table in tables.items():  # every raw table there is: a source may be defined no longer
        if name.startswith("raw."):
            found |= {record.file_id: (name, record) for _, _, record in ledger.in_summaries(table)}
    for record in ledger.tableless(settings.ops_bucket):
        found.setdefault(record.file_id, ("", record))
    return found


def ingested(settings: Settings, tables: dict[str, Table]) -> Ingested:
    """Count what was received and what became of it, and compare with the rows that the tables hold."""
    with ThreadPoolExecutor(1) as pool:
        listed = pool.submit(lambda: {file.file_id for file in listing(settings.landing_bucket)})
        known = records(settings, tables)
        landed = listed.result()
    loaded: dict[str, int] = {}
    wrong = []
    for file_id, (name, record) in known.items():
        loaded[name] = loaded.get(name, 0) + record.loaded
        if not record.balanced:
            wrong.append(file_id)
    for name, table in tables.items():
        if name.startswith("raw.") and loaded.get(name, 0) != rows_of(table):
            wrong.append(name)
    counts = [record for _, record in known.values()]
    return Ingested(
        files=len(landed | known.keys()),
        received=sum(record.received for record in counts),
        loaded=sum(record.loaded for record in counts),
        duplicates=sum(record.duplicates for record in counts),
        quarantined=sum(record.quarantined for record in counts),
        in_flight=len(landed - known.keys()),
        unbalanced=tuple(sorted(wrong)),
    )


def rows_of(table: Table) -> int:
    """Return a table's row count as its current snapshot states it."""
    return _total(table, "total-records")


def describe(table: Table) -> dict[str, Any]:
    """Return rows, files, bytes, snapshots and the time of the latest one, for `status`."""
    snapshot = table.current_snapshot()
    latest = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC).isoformat() if snapshot else None
    return {
        "rows": rows_of(table),
        "files": _total(table, "total-data-files"),
        "bytes": _total(table, "total-files-size"),
        "snapshots": len(table.metadata.snapshots),
        "latest": latest,
    }


def _total(table: Table, name: str) -> int:
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return 0
    return int(snapshot.summary.additional_properties.get(name, "0"))


def _ledger_rows(table: Table | None) -> list[dict[str, Any]]:
    if table is None or table.current_snapshot() is None:
        return []
    fields = (
        "file_id", "bucket", "key", "version", "bytes", "table_name", "received", "loaded", "duplicates",
        "quarantined", "started_at",
    )  # fmt: skip
    rows: list[dict[str, Any]] = table.scan(selected_fields=fields).to_arrow().to_pylist()
    return rows
