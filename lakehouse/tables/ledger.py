"""Which raw files are loaded: commit summaries say so first, the ledger table once those have expired.

A raw file has generations: 0 is its first load, n tries again what n-1 left in quarantine. Each is a commit's record
and a row of the ledger. A file that no source definition fits is in no table; it is noted as an object. Once it is
loaded after all, it is loaded as generation 0, and that record replaces the note.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse import aws, objects
from lakehouse.engine.escape import literal
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import table_time
from lakehouse.tables.commit import FileRecord, as_record, file_records, generation_id
from lakehouse.tables.contracts import LEDGER
from lakehouse.tables.policy import TableReadPolicy

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

PREFIX = "ledger/"


def listed(catalog: Catalog, ids: Collection[str]) -> dict[str, set[str]]:
    """Return the tables under which `ops.ingest_ledger` lists each of these generations; "" stands for none.

    `ids` are those of generations (`FileRecord.id`). What is not listed at all is left out.
    """
    if not ids:
        return {}
    file_ids = sorted({generation.partition("/")[0] for generation in ids})
    quoted = ", ".join(f"'{file_id}'" for file_id in file_ids)  # hexadecimal digits need no escape
    fields = ("file_id", "replay", "table_name")
    tables: dict[str, set[str]] = {}
    for row in _rows(catalogs.load(catalog, LEDGER.name), fields, f"file_id in ({quoted})"):
        generation = generation_id(row["file_id"], row.get("replay") or 0)
        if generation in ids:
            tables.setdefault(generation, set()).add(row["table_name"] or "")
    return tables


def in_ledger(catalog: Catalog, ids: set[str]) -> set[str]:
    """Return those of the generations that `ops.ingest_ledger` lists with the table that holds their rows."""
    return {generation for generation, tables in listed(catalog, ids).items() if tables - {""}}


def in_summaries(table: Table | None) -> Iterator[tuple[int, int, FileRecord]]:
    """Yield (snapshot id, commit time in ms, record) for each raw file that a live snapshot's summary names."""
    if table is None:
        return
    for snapshot in table.metadata.snapshots:
        for record in file_records(snapshot):
            yield snapshot.snapshot_id, snapshot.timestamp_ms, record


def known(catalog: Catalog, table: Table, ids: set[str]) -> set[str]:
    """Return those of the generations whose rows are in the table."""
    in_commits = ids & {record.id for _, _, record in in_summaries(table)}
    return in_commits | in_ledger(catalog, ids - in_commits)


def after_last_load(table: Table, now: datetime) -> datetime:
    """Return `now`, or the next moment after the latest raw files that the table has were tried, if that is later.

    Of two rows about one thing the one that was loaded later counts: a clock that was set back must not turn them
    round. All live commits are asked: a slow writer's comes after one that began later. Replays say nothing here: their
    rows keep the moment at which their file was first tried. Commits that have expired were before the oldest live one;
    where all commits of files have, they were before the table's last change.
    """
    moments = [_moment(record.started_at) for _, _, record in in_summaries(table) if not record.replay]
    if not moments:
        if table.current_snapshot() is None:
            return now
        return max(now, datetime.fromtimestamp((table_time.last_ms(table.metadata) + 1) / 1000, UTC))
    oldest = min(table.metadata.snapshots, key=lambda snapshot: snapshot.sequence_number or 0)
    if oldest.sequence_number != 1:  # to expire a snapshot makes its child one without a parent
        moments.append(datetime.fromtimestamp(oldest.timestamp_ms / 1000, UTC))  # expired ones were before it
    return max(now, max(moments) + timedelta(milliseconds=1))


@dataclass(frozen=True)
class Load:
    """What a table has of a raw file, over all its generations.

    `since` is when it was first tried, `loaded` counts the rows of all generations, `quarantined` those that the
    newest one left and that may be records. `absent` are the columns that its header lacks.
    """

    since: datetime
    loaded: int
    quarantined: int
    absent: frozenset[str] = frozenset()

    @property
    def complete(self) -> bool:
        """Return whether no row of the file is missing: a full export then says who was deleted."""
        return not self.quarantined

    @property
    def empty(self) -> bool:
        """Return whether the file lists nothing, so that the table has no row of it."""
        return self.complete and not self.loaded


def loads(catalog: Catalog, table: Table) -> dict[str, Load]:
    """Return what a table has of each raw file by its id, as the ledger and the table's summaries say."""
    (files,) = loads_by_table(catalog, [table]).values()
    return files


def loads_by_table(catalog: Catalog, tables: Collection[Table]) -> dict[str, dict[str, Load]]:
    """Return by table what it has of each raw file: see `loads`. The ledger is read once for all of them."""
    if not tables:
        return {}
    # by table, file and generation, what each of them did
    files: dict[str, dict[str, dict[int, Load]]] = {_name(table): {} for table in tables}
    fields = (
        "table_name",
        "file_id",
        "replay",
        "started_at",
        "loaded",
        "quarantined",
        "no_records",
        "absent",
    )
    of_tables = f"table_name IN ({', '.join(map(literal, files))})"
    for row in _rows(catalogs.load(catalog, LEDGER.name), fields, of_tables):
        records_set_aside = row["quarantined"] - (row.get("no_records") or 0)
        absent = _column_names(row.get("absent") or "")
        generation = Load(_moment(row["started_at"]), row["loaded"], records_set_aside, absent)
        files[row["table_name"]].setdefault(row["file_id"], {})[row.get("replay") or 0] = generation
    for table in tables:
        for _, _, record in in_summaries(table):
            records_set_aside = record.quarantined - record.no_records
            absent = _column_names(record.absent)
            generation = Load(_moment(record.started_at), record.loaded, records_set_aside, absent)
            files[_name(table)].setdefault(record.file_id, {})[record.replay] = generation
    return {
        name: {file_id: _sum_of_generations(generations) for file_id, generations in of_table.items()}
        for name, of_table in files.items()
    }


def _name(table: Table) -> str:
    return ".".join(table.name()[-2:])


def absent_columns(files: Mapping[str, Load]) -> dict[str, set[str]]:
    """Return by column the ids of the files that lack it."""
    lacking: dict[str, set[str]] = {}
    for file_id, load in files.items():
        for column in load.absent:
            lacking.setdefault(column, set()).add(file_id)
    return lacking


def _column_names(joined: str) -> frozenset[str]:
    return frozenset(filter(None, joined.split(",")))


def _sum_of_generations(generations: Mapping[int, Load]) -> Load:
    """Return what they did in sum; what the newest one left in quarantine is what all of them left."""
    first, newest = generations[min(generations)], generations[max(generations)]
    loaded = sum(generation.loaded for generation in generations.values())
    absent = frozenset().union(*(generation.absent for generation in generations.values()))
    return Load(first.since, loaded, newest.quarantined, absent)


def _moment(text: str | datetime) -> datetime:
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def records(tables: Mapping[str, Table], bucket: str) -> dict[str, tuple[str, FileRecord]]:
    """Return (table, record) of every generation by its id; the table is "" for a file that is in none.

    `tables` are all there are, by name: what their summaries say takes precedence over what the ledger among them
    says. `bucket` is the one that holds the notes of files without a table.
    """
    by_generation = _ledger_records(tables.get(LEDGER.name))
    for name, table in tables.items():  # every raw table there is: a source may be defined no longer
        if name.startswith("raw."):
            by_generation |= {record.id: (name, record) for _, _, record in in_summaries(table)}
    for record in tableless(bucket, by_generation):
        by_generation[record.id] = ("", record)
    return by_generation


def _ledger_records(ledger: Table | None) -> dict[str, tuple[str, FileRecord]]:
    """Return (table, record) of every generation that the ledger lists; a row with a table wins over one without."""
    by_generation: dict[str, tuple[str, FileRecord]] = {}
    for row in _ledger_rows(ledger):
        name, record = row.pop("table_name") or "", as_record(row)
        if name or record.id not in by_generation:
            by_generation[record.id] = (name, record)
    return by_generation


def note_tableless(bucket: str, record: FileRecord) -> None:
    """Note a file that no table takes (unknown source) as an object; twice is once."""
    objects.put_unless_there(bucket, f"{PREFIX}{record.file_id}.json", json.dumps(asdict(record)).encode())


def noted(bucket: str) -> Iterator[str]:
    """Yield the ids of the files that were noted without a table, whether a table has them by now or not."""
    yield from (key.removesuffix(".json") for key in objects.list_keys(bucket, PREFIX))


def tableless(bucket: str, known: Collection[str] = ()) -> Iterator[FileRecord]:
    """Yield the records of the files that no table takes; those among `known` are not read."""
    file_ids = [file_id for file_id in noted(bucket) if file_id not in known]

    def read(file_id: str) -> FileRecord:
        body = aws.s3().get_object(Bucket=bucket, Key=f"{PREFIX}{file_id}.json")["Body"].read()
        return as_record(json.loads(body))

    with ThreadPoolExecutor(TableReadPolicy.note_threads) as pool:
        yield from pool.map(read, file_ids)


def _ledger_rows(table: Table | None) -> Iterator[dict[str, Any]]:
    """Yield the ledger's rows as a FileRecord names its fields, and `table_name`."""
    fields = (*FileRecord.__dataclass_fields__, "table_name")
    for row in _rows(table, fields, "true"):
        if isinstance(row["started_at"], datetime):
            row["started_at"] = row["started_at"].isoformat()
        numbers = {name: row.get(name) or 0 for name in ("replay", "parts", "no_records")}
        yield row | numbers | {"set_aside": row.get("set_aside") or "", "absent": row.get("absent") or ""}


def _rows(table: Table | None, fields: tuple[str, ...], condition: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of these columns, without columns that an older table lacks; none without a table or rows."""
    if table is None or table.current_snapshot() is None:
        return
    existing = {field.name for field in table.schema().fields}
    selected = tuple(name for name in fields if name in existing)
    for batch in table.scan(row_filter=condition, selected_fields=selected).to_arrow_batch_reader():
        yield from batch.to_pylist()
