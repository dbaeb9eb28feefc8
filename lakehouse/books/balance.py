"""Whether the books balance: for every raw file received = loaded + duplicates + quarantined, and it is there.

A file that was replayed has several generations. Its rows are counted once: what one generation left in quarantine
is what the next received.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lakehouse.landing.raw_files import listing
from lakehouse.tables import ledger
from lakehouse.tables.commit import FileRecord

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
    """Return (table, record) of each generation by its id, from ledger, commit summaries and tableless files.

    That of a file's first load is the file's id.
    """
    return ledger.records(tables, settings.ops_bucket)


def ingested(settings: Settings, tables: dict[str, Table]) -> Ingested:
    """Count what was received and what became of it, and compare with the rows that the tables hold."""
    with ThreadPoolExecutor(1) as pool:
        listed = pool.submit(lambda: {file.file_id for file in listing(settings.landing_bucket)})
        known = records(settings, tables)
        landed = listed.result()
    loaded: dict[str, int] = {}
    generations: dict[str, list[FileRecord]] = {}
    for name, record in known.values():
        loaded[name] = loaded.get(name, 0) + record.loaded
        generations.setdefault(record.file_id, []).append(record)
    for of_file in generations.values():
        of_file.sort(key=lambda record: record.replay)
    wrong = [file_id for file_id, of_file in generations.items() if not adds_up(of_file)]
    for name, table in tables.items():
        if name.startswith("raw.") and loaded.get(name, 0) != rows_of(table):
            wrong.append(name)
    again = sum(record.quarantined for of_file in generations.values() for record in of_file[:-1])
    counts = [record for _, record in known.values()]
    return Ingested(
        files=len(landed | generations.keys()),
        received=sum(record.received for record in counts) - again,
        loaded=sum(record.loaded for record in counts),
        duplicates=sum(record.duplicates for record in counts),
        quarantined=sum(of_file[-1].quarantined for of_file in generations.values()),
        in_flight=len(landed - generations.keys()),
        unbalanced=tuple(sorted(wrong)),
    )


def adds_up(generations: Sequence[FileRecord]) -> bool:
    """Return whether no row of a file went missing; its generations come in their order.

    Each adds up by itself, none is missing, and each received what the one before left in quarantine. A file that
    was bad as a whole is the exception: it counted as one row, and may hold many.
    """
    if [record.replay for record in generations] != list(range(len(generations))):
        return False
    return all(record.balanced for record in generations) and all(
        after.received == before.quarantined or (before.quarantined == before.received == 1)
        for before, after in pairwise(generations)
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
