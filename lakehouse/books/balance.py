"""Whether the books balance: for every raw file received = loaded + duplicates + quarantined, and no row is lost.

A file that was replayed has several generations. Its rows are counted once: what one generation left in quarantine
is what the next received.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lakehouse.landing.raw_files import listing
from lakehouse.tables import ledger, model_note
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
    """Return (table, record) of each generation by its id, from ledger, commit summaries and files without a table.

    The id of a file's first load is the file's id.
    """
    return ledger.records(tables, settings.ops_bucket)


def ingested(settings: Settings, tables: dict[str, Table]) -> Ingested:
    """Count what was received and what became of it, and compare with the rows that the tables hold."""
    with ThreadPoolExecutor(1) as pool:
        listed = pool.submit(lambda: {file.file_id for file in listing(settings.landing_bucket)})
        known = records(settings, tables)
        landed = listed.result()
    raw_rows = {name: rows_of(table) for name, table in tables.items() if name.startswith("raw.")}
    return count(landed, list(known.values()), raw_rows)


def count(
    landed: AbstractSet[str], known: Sequence[tuple[str, FileRecord]], raw_rows: Mapping[str, int]
) -> Ingested:
    """Count the rows of all files, and find what does not add up.

    `landed` are the ids of the files in the landing bucket, `known` the tables (or "") and records of all
    generations, `raw_rows` how many rows each raw table holds.
    """
    files = generations_by_file([record for _, record in known])
    # What one generation left in quarantine is what the next one received.
    received_again = sum(record.quarantined for generations in files.values() for record in generations[:-1])
    still_quarantined = sum(generations[-1].quarantined for generations in files.values())
    return Ingested(
        files=len(landed | files.keys()),
        received=sum(record.received for _, record in known) - received_again,
        loaded=sum(record.loaded for _, record in known),
        duplicates=sum(record.duplicates for _, record in known),
        quarantined=still_quarantined,
        in_flight=len(landed - files.keys()),
        unbalanced=tuple(sorted([*_unbalanced_files(files), *_unbalanced_tables(known, raw_rows)])),
    )


def generations_by_file(records: Iterable[FileRecord]) -> dict[str, list[FileRecord]]:
    """Return the records of each file by its id, in the order of their generations."""
    files: dict[str, list[FileRecord]] = {}
    for record in sorted(records, key=lambda record: record.replay):
        files.setdefault(record.file_id, []).append(record)
    return files


def _unbalanced_files(files: Mapping[str, Sequence[FileRecord]]) -> list[str]:
    return [file_id for file_id, generations in files.items() if not adds_up(generations)]


def _unbalanced_tables(known: Iterable[tuple[str, FileRecord]], raw_rows: Mapping[str, int]) -> list[str]:
    """Return the raw tables that hold other numbers of rows than their files' records say were loaded."""
    loaded: Counter[str] = Counter()
    for name, record in known:
        loaded[name] += record.loaded
    return [name for name, rows in raw_rows.items() if loaded[name] != rows]


def adds_up(generations: Sequence[FileRecord]) -> bool:
    """Return whether no row of a file went missing; its generations come in their order.

    Each adds up by itself, none is missing, and each received what the one before left in quarantine. A file or a part
    of one that was bad as a whole is the exception: it counted as one row, and may hold many.
    """
    if [record.replay for record in generations] != list(range(len(generations))):
        return False
    if not all(record.balanced for record in generations):
        return False
    return all(_continues(earlier, later) for earlier, later in pairwise(generations))


def _continues(earlier: FileRecord, later: FileRecord) -> bool:
    """Return whether a generation received what the one before left in quarantine."""
    was_bad_as_a_whole = earlier.quarantined == earlier.received == 1
    had_unread_parts = earlier.parts > 0 and later.received > earlier.quarantined
    return later.received == earlier.quarantined or was_bad_as_a_whole or had_unread_parts


def rows_of(table: Table) -> int:
    """Return a table's row count as its current snapshot states it."""
    return _total(table, "total-records")


def describe(table: Table) -> dict[str, Any]:
    """Return rows, files, bytes, snapshots and the time of the latest one, for `status`.

    Where its model could not be computed, `wrong` says why.
    """
    snapshot = table.current_snapshot()
    latest = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC).isoformat() if snapshot else None
    wrong = model_note.noted(table)
    return {
        "rows": rows_of(table),
        "files": _total(table, "total-data-files"),
        "bytes": _total(table, "total-files-size"),
        "snapshots": len(table.metadata.snapshots),
        "latest": latest,
        **({"wrong": wrong} if wrong else {}),
    }


def _total(table: Table, name: str) -> int:
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return 0
    return int(snapshot.summary.additional_properties.get(name, "0"))
