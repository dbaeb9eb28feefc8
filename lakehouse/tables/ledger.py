"""Which raw files are in: told by commit summaries first, by the ledger table once those have expired.

A raw file has generations: 0 is its first load, n tries again what n-1 left in quarantine. Each is a commit's record
and a row of the ledger. A file that no source definition fits is in no table; it is noted as an object. Once it is
loaded after all, it is loaded as generation 0, and that record takes the note's place.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse import aws, objects
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.commit import FileRecord, as_record, file_records, generation_id
from lakehouse.tables.contracts import LEDGER

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

PREFIX = "ledger/"
_THREADS = 8


def listed(catalog: Catalog, ids: Collection[str]) -> dict[str, set[str]]:
    """Return the tables under which `ops.ingest_ledger` lists each of these generations; "" stands for none.

    `ids` are those of generations (`FileRecord.id`). What is not listed at all is left out.
    """
    table = catalogs.load(catalog, LEDGER.name)
    if table is None or table.current_snapshot() is None or not ids:
        return {}
    names = ", ".join(
        f"'{name}'" for name in sorted({one.partition("/")[0] for one in ids})
    )  # hexadecimal digits
    found: dict[str, set[str]] = {}
    for row in _rows(table, ("file_id", "replay", "table_name"), f"file_id in ({names})"):
        name = generation_id(row["file_id"], row.get("replay") or 0)
        if name in ids:
            found.setdefault(name, set()).add(row["table_name"] or "")
    return found


def in_ledger(catalog: Catalog, ids: set[str]) -> set[str]:
    """Return those of the generations that `ops.ingest_ledger` lists with the table that holds their rows."""
    return {name for name, tables in listed(catalog, ids).items() if tables - {""}}


def in_summaries(table: Table | None) -> Iterator[tuple[int, int, FileRecord]]:
    """Yield (snapshot id, commit time in ms, record) for each raw file that a live snapshot's summary names."""
    for snapshot in table.metadata.snapshots if table is not None else []:
        for record in file_records(snapshot):
            yield snapshot.snapshot_id, snapshot.timestamp_ms, record


def known(catalog: Catalog, table: Table, ids: set[str]) -> set[str]:
    """Return those of the generations whose rows are in the table."""
    found = ids & {record.id for _, _, record in in_summaries(table)}
    return found | in_ledger(catalog, ids - found)


@dataclass(frozen=True)
class Load:
    """What a table has of a raw file, over all its generations: when it was first tried, and the rows by now."""

    since: datetime
    loaded: int
    quarantined: int

    @property
    def whole(self) -> bool:
        """Return whether no row of the file is missing: it says who is there, and who is not."""
        return not self.quarantined

    @property
    def empty(self) -> bool:
        """Return whether the file lists nothing, so that the table has no row of it."""
        return self.whole and not self.loaded


def loads(catalog: Catalog, table: Table) -> dict[str, Load]:
    """Return what a table has of each raw file by its id, as the table's snapshot knows it and the ledger."""
    found: dict[str, dict[int, tuple[datetime, int, int]]] = {}
    listed = catalogs.load(catalog, LEDGER.name)
    name = ".".join(table.name()[-2:])
    if listed is not None and listed.current_snapshot() is not None:
        fields = ("file_id", "replay", "started_at", "loaded", "quarantined")
        for row in _rows(listed, fields, f"table_name = '{name}'"):
            told = (_moment(row["started_at"]), row["loaded"], row["quarantined"])
            found.setdefault(row["file_id"], {})[row.get("replay") or 0] = told
    for _, _, record in in_summaries(table):
        told = (_moment(record.started_at), record.loaded, record.quarantined)
        found.setdefault(record.file_id, {})[record.replay] = told
    return {
        file_id: Load(of[min(of)][0], sum(loaded for _, loaded, _ in of.values()), of[max(of)][2])
        for file_id, of in found.items()
    }


def _moment(text: str | datetime) -> datetime:
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def records(tables: Mapping[str, Table], bucket: str) -> dict[str, tuple[str, FileRecord]]:
    """Return (table, record) of every generation by its id; the table is "" for a file that is in none.

    `tables` are all there are, by name: what their summaries say comes before what the ledger among them says.
    `bucket` is the one that holds the notes of files without a table.
    """
    found: dict[str, tuple[str, FileRecord]] = {}
    for row in _ledger_rows(tables.get(LEDGER.name)):
        name, record = row.pop("table_name") or "", as_record(row)
        if name or record.id not in found:
            found[record.id] = (name, record)
    for name, table in tables.items():  # every raw table there is: a source may be defined no longer
        if name.startswith("raw."):
            found |= {record.id: (name, record) for _, _, record in in_summaries(table)}
    for record in tableless(bucket, found):
        found[record.id] = ("", record)
    return found


def note_tableless(bucket: str, record: FileRecord) -> None:
    """Note a file that no table takes (unknown source) as an object; twice is once."""
    objects.put_once(bucket, f"{PREFIX}{record.file_id}.json", json.dumps(asdict(record)).encode())


def noted(bucket: str) -> Iterator[str]:
    """Yield the ids of the files that were noted without a table, whether a table has them by now or not."""
    yield from (key.removesuffix(".json") for key in objects.list_keys(bucket, PREFIX))


def tableless(bucket: str, known: Collection[str] = ()) -> Iterator[FileRecord]:
    """Yield the records of the files that no table takes; those among `known` are not read."""
    fresh = [name for name in noted(bucket) if name not in known]

    def read(name: str) -> FileRecord:
        body = aws.s3().get_object(Bucket=bucket, Key=f"{PREFIX}{name}.json")["Body"].read()
        return as_record(json.loads(body))

    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(read, fresh)


def _ledger_rows(table: Table | None) -> Iterator[dict[str, Any]]:
    """Yield the ledger's rows as a FileRecord names its fields, and `table_name`."""
    if table is None or table.current_snapshot() is None:
        return
    fields = (*FileRecord.__dataclass_fields__, "table_name")
    for row in _rows(table, fields, "true"):
        if isinstance(row["started_at"], datetime):
            row["started_at"] = row["started_at"].isoformat()
        yield row | {"replay": row.get("replay") or 0, "set_aside": row.get("set_aside") or ""}


def _rows(table: Table, fields: tuple[str, ...], condition: str) -> Iterator[dict[str, Any]]:
    """Yield rows of these columns; those that the table has not grown yet are left out."""
    there = {field.name for field in table.schema().fields}
    wanted = tuple(name for name in fields if name in there)
    for batch in table.scan(row_filter=condition, selected_fields=wanted).to_arrow_batch_reader():
        yield from batch.to_pylist()
