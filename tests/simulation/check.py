"""The invariants 1 to 4 of the design, asked of a lake at rest."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyarrow import parquet

from lakehouse.books import balance
from lakehouse.ingest.quarantine import bad_rows
from lakehouse.landing.raw_files import listing
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from tests.simulation.consumer import COPIES
from tests.simulation.files import Expected
from tests.simulation.stage import LANDING, OPS
from tests.support.clocks import refusals

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from lakehouse.tables.commit import FileRecord
    from tests.simulation.stage import Scene
    from tests.simulation.store import Store

_WINDOW = timedelta(days=7)


@dataclass
class Model:
    """What was put, by file id, and when; `taken` are those that were deleted or replaced at some time."""

    files: dict[str, Expected] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    landed: dict[str, float] = field(default_factory=dict)


@dataclass
class Found:
    """What a lake says of itself."""

    tables: dict[str, Table]
    rows: dict[str, list[dict[str, Any]]]
    records: dict[str, tuple[str, FileRecord]]
    wrong: list[str] = field(default_factory=list)

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)


def check(scene: Scene, store: Store, model: Model) -> list[str]:
    """Return what is wrong, in words; the lake is at rest and its books are written."""
    tables = {
        name: table
        for name in catalogs.table_names(scene.catalog)
        if (table := catalogs.load(scene.catalog, name)) is not None
    }
    read = {name: _read(name, table) for name, table in tables.items()}
    if wrong := [told for _, all_told in read.values() for told in all_told]:
        return wrong
    rows = {name: found for name, (found, _) in read.items()}
    found = Found(tables, rows, balance.records(scene.settings, tables))
    _conservation(found, scene, model)
    _exactly_once(found, model)
    _one_message_one_row(found, model)
    _set_aside(found, store, model)
    return found.wrong


def contents(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table."""
    return {name: _read(name, catalog.load_table(name))[0] for name in catalogs.table_names(catalog)}


def _read(name: str, table: Table) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the table's rows, and what is wrong: every file that a live snapshot reaches must be there.

    And readers in other languages must open the table, whatever the clock was set to; but for the copy, which somebody
    may have rolled back by that clock, with a program that is not ours.
    """
    wrong = [] if name == COPIES.name else [f"{name}: {refusal}" for refusal in refusals(table.metadata)]
    rows: list[dict[str, Any]] = []
    seen: dict[str, list[Path]] = {}
    for snapshot in table.metadata.snapshots:
        paths: list[Path] = []
        try:
            for manifest in snapshot.manifests(table.io):
                if manifest.manifest_path not in seen:
                    entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
                    files = [Path(entry.data_file.file_path.removeprefix("file://")) for entry in entries]
                    seen[manifest.manifest_path] = files
                paths += seen[manifest.manifest_path]
        except OSError:
            wrong.append(f"{name}: a manifest of snapshot {snapshot.sequence_number} is missing")
        missing = [path for path in paths if not path.exists()]
        if missing:
            wrong.append(
                f"{name}: {len(missing)} data files of snapshot {snapshot.sequence_number} are missing"
            )
        elif snapshot.snapshot_id == table.metadata.current_snapshot_id:
            for path in paths:
                with path.open("rb") as file:
                    rows += parquet.ParquetFile(file).read().to_pylist()
    return rows, wrong


def _conservation(found: Found, scene: Scene, model: Model) -> None:
    landed = {file.file_id for file in listing(LANDING)}
    found.expect(not (landed - found.records.keys()), "files are known to nobody")
    found.expect(not (found.records.keys() - model.files.keys()), "files are known that nobody put")
    sums = balance.ingested(scene.settings, found.tables)
    found.expect(not sums.unbalanced, f"the books do not balance: {', '.join(sums.unbalanced)}")
    found.expect(sums.in_flight == 0, "files are in flight for ever")
    for file_id, (_, record) in sorted(found.records.items()):
        expected = model.files.get(file_id)
        if expected is None:
            continue
        ways = {(expected.received, len(expected.bad))}
        if file_id in model.taken:
            ways.add((1, 1))
        told = (record.received, record.quarantined)
        found.expect(told in ways, f"{_name(record)}: (received, quarantined) is {told}, of {sorted(ways)}")
    ledger = Counter(row["file_id"] for row in found.rows.get("ops.ingest_ledger", []))
    found.expect(all(number == 1 for number in ledger.values()), "the ledger has a file twice")
    found.expect(ledger.keys() == found.records.keys(), "the ledger lacks files")
    for row in found.rows.get("ops.ingest_ledger", []):
        record = found.records[row["file_id"]][1]
        same = all(
            row[name] == getattr(record, name) for name in ("received", "loaded", "duplicates", "quarantined")
        )
        found.expect(same, f"{_name(record)}: the ledger has other counts than the commit")


def _exactly_once(found: Found, model: Model) -> None:
    loaded: Counter[str] = Counter()
    for name in sorted(found.rows):
        if not name.startswith("raw."):
            continue
        seen = Counter((row["_file_id"], row["_row"]) for row in found.rows[name])
        twice = [place for place, number in seen.items() if number > 1]
        found.expect(not twice, f"{name}: {len(twice)} rows are there more than once")
        found.expect(not _carried_twice(found.tables[name]), f"{name}: two commits carry the same file")
        column = "message_id" if name == "raw.events" else "order_id"
        for row in found.rows[name]:
            expected = model.files.get(row["_file_id"], Expected(""))
            right = expected.table == name and expected.good.get(row["_row"]) == row[column]
            found.expect(right, f"{name}: row {row['_row']} of {row['_file_id'][:8]} is not what was put")
            loaded[row["_file_id"]] += 1
    for file_id, (_, record) in sorted(found.records.items()):
        found.expect(
            loaded[file_id] == record.loaded, f"{_name(record)}: loaded {loaded[file_id]} of {record.loaded}"
        )
        expected = model.files.get(file_id)
        if expected and _read_whole(record, expected) and expected.table == "raw.shop_orders":
            found.expect(loaded[file_id] == len(expected.good), f"{_name(record)}: good rows are missing")
    lost = loaded.keys() - found.records.keys()
    found.expect(not lost, f"rows of {len(lost)} files are loaded of which the books know nothing")


def _one_message_one_row(found: Found, model: Model) -> None:
    times: dict[str, list[datetime]] = {}
    places = set()
    for row in found.rows.get("raw.events", []):
        times.setdefault(row["message_id"], []).append(row["_loaded_at"])
        places.add((row["_file_id"], row["_row"]))
    for name, moments in sorted(times.items()):
        moments.sort()
        close = [later - earlier for earlier, later in pairwise(moments) if later - earlier < _WINDOW]
        found.expect(not close, f"message {name} is there twice within {min(close, default=_WINDOW)}")
    for file_id, (_, record) in sorted(found.records.items()):
        expected = model.files.get(file_id)
        if expected is None or expected.table != "raw.events" or not _read_whole(record, expected):
            continue
        began = (
            datetime.fromisoformat(record.started_at)
            if isinstance(record.started_at, str)
            else record.started_at
        )
        for place, name in expected.good.items():
            if (file_id, place) not in places:
                kept = [moment for moment in times.get(name, []) if moment >= began.astimezone(UTC) - _WINDOW]
                found.expect(bool(kept), f"message {name} of {_name(record)} was left out and is not there")


def _set_aside(found: Found, store: Store, model: Model) -> None:
    rows = Counter((row["file_id"], row["row"]) for row in found.rows.get("ops.quarantine", []))
    found.expect(all(number == 1 for number in rows.values()), "ops.quarantine has a row twice")
    for file_id, (_, record) in sorted(found.records.items()):
        expected = model.files.get(file_id)
        if expected is None:
            continue
        ways = [expected.bad] if _read_whole(record, expected) else []
        if file_id in model.taken and (record.received, record.quarantined) == (1, 1):
            ways.append(frozenset([None]))
        objects = _object(store, record)
        bad = next((way for way in ways if way == objects), ways[0] if ways else frozenset())
        found.expect(objects == bad, f"{_name(record)}: set aside {_told(objects)} instead of {_told(bad)}")
        copied = {row for name, row in rows if name == file_id}
        found.expect(
            copied == bad, f"{_name(record)}: ops.quarantine has {_told(copied)} instead of {_told(bad)}"
        )


def _read_whole(record: FileRecord, expected: Expected) -> bool:
    """Return whether a file was read; otherwise it was deleted or replaced before."""
    return (record.received, record.quarantined) == (expected.received, len(expected.bad))


def _object(store: Store, record: FileRecord) -> frozenset[int | None]:
    key = bad_rows.object_key(record.file_id, record.replay, record.set_aside)
    try:
        body = store.get_object(Bucket=OPS, Key=key)["Body"].read()
    except Exception:  # noqa: BLE001 - there is none
        return frozenset()
    rows = [json.loads(line) for line in body.splitlines()]
    assert all(row["code"] and row["reason"] and row["file_id"] == record.file_id for row in rows)
    return frozenset(row["row"] for row in rows)


def _name(record: FileRecord) -> str:
    return f"{record.key}@{record.version[:8]}"


def _told(places: Any) -> str:
    return "{" + ", ".join(sorted("the file" if place is None else str(place) for place in places)) + "}"


def _carried_twice(table: Table) -> set[str]:
    """Return the ids that two live snapshots carry."""
    seen = Counter(name for snapshot in table.metadata.snapshots for name in commit.carried(snapshot))
    return {name for name, number in seen.items() if number > 1}
