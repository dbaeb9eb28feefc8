"""Refill: columns that a mapping names by now get the values that older rows keep in `extra`.

The data files that hold such rows are written anew, a group of files a commit. Rows keep their file, place and time.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse import telemetry
from lakehouse.engine import duck
from lakehouse.engine.escape import identifier
from lakehouse.errors import CommitConflict, Terminal
from lakehouse.ingest.reading.hash_key import hash_key
from lakehouse.ingest.refill.refill_sql import Find, counts_sql, keys_sql, refilled_sql
from lakehouse.sources import headers
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import data_files
from lakehouse.tables.commit import live_files
from lakehouse.tables.replace_files import replace_files

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import DataFile, Table

_ROUNDS = 8
_GROUP_BYTES = 256 << 20  # of Parquet, in one commit; one file may be larger
_GROUP_FILES = 200


@dataclass
class Refilled:
    """What a refill did, or would do: data files written anew, rows changed in them, and values by column.

    `kept` counts values that stay in `extra`: they are none of the column's type, or the column has one already.
    """

    files: int = 0
    rows: int = 0
    commits: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        return vars(self) | {"moved": dict(self.moved), "kept": dict(self.kept)}


def refill(
    settings: Settings,
    source: Source,
    *,
    dry_run: bool = False,
    on: Callable[[int, int], None] = lambda *_: None,
) -> Refilled:
    """Move what fits from `extra` to the source's columns, in all files of its table; a repeat finds nothing to move.

    Ingest and maintenance may go on meanwhile: a lost race is looked at again. `on(bytes, of)` hears how far it is.
    Raises CommitConflict when others replaced the same files each time, and Transient when the outcome of a commit is
    unknown; what was committed by then stays, and a repeat does the rest.
    """
    done = Refilled()
    catalog = catalogs.open_catalog(settings)
    if not dry_run:
        catalogs.ensure(catalog, source.contract)
    seen: set[str] = set()
    with closing(duck.connect(settings, iceberg=False)) as con:
        if not dry_run and (key := hash_key(settings, source)) is not None:
            key.set_on(con)
        for _ in range(_ROUNDS):
            # Loaded, not ensured: the files keep also what this program does not know of.
            table = catalogs.load(catalog, source.table)
            files = [file for file in _with_extra(table) if file.file_path not in seen]
            work = _Refill(con, table, source, done, seen) if table is not None else None
            if work is None or work.run(files, on, dry_run=dry_run):
                return done
            telemetry.info("lost a race, looking again", table=source.table)
    raise CommitConflict(f"{source.table}: its files are replaced by others all the time; try again")


def _with_extra(table: Table | None) -> list[DataFile]:
    """Return the files that may hold something in `extra`, neighbours in partition together."""
    if table is None:
        return []
    extra = table.schema().find_field("extra").field_id
    found = [
        file for file in live_files(table) if (file.null_value_counts or {}).get(extra, 0) < file.record_count
    ]
    return sorted(found, key=lambda file: (file.spec_id, str(file.partition), file.file_path))


def _groups(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    group: list[DataFile] = []
    size = 0
    for file in files:
        if group and (size + file.file_size_in_bytes > _GROUP_BYTES or len(group) >= _GROUP_FILES):
            yield group
            group, size = [], 0
        group.append(file)
        size += file.file_size_in_bytes
    if group:
        yield group


class _Refill:
    """One look at a table. `seen` takes the paths of files that are done with."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, table: Table, source: Source, done: Refilled, seen: set[str]
    ) -> None:
        self.con = con
        self.table = table
        self.source = source
        self.done = done
        self.seen = seen
        types = {column.name: column.duck_type for column in source.contract.columns}
        ids = source.contract.field_ids()
        have = {found.field_id: found.name for found in table.schema().fields}
        last = table.metadata.last_column_id
        if wrong := [name for name, number in ids.items() if have.get(number, name) != name]:
            raise Terminal(
                f"{source.table}: {', '.join(wrong)} has another name in the catalog: either the program and its "
                "definitions are older than the table, or the next ingest has yet to migrate it"
            )
        self.new = {name: types[name] for name, number in ids.items() if number > last}
        self.columns = [
            column for column in source.stored if ids[column.name] in have or column.name in self.new
        ]

    def run(
        self, files: Sequence[DataFile], on: Callable[[int, int], None], *, dry_run: bool = False
    ) -> bool:
        """Refill the files group by group; return whether no race was lost."""
        size, far, clean = sum(file.file_size_in_bytes for file in files), 0, True
        for group in _groups(files):
            clean = self._group(group, dry_run=dry_run) and clean
            far += sum(file.file_size_in_bytes for file in group)
            on(far, size)
        return clean

    def _group(self, group: Sequence[DataFile], *, dry_run: bool) -> bool:
        counted = Refilled()
        due: list[DataFile] = []
        if finds := self._finds(group):
            due = [file for file in group if self._count(file, finds, counted)]
        if due and not dry_run and not self._rewrite(due, finds):
            return False
        self.seen.update(file.file_path for file in group)
        self.done.files += len(due)
        self.done.commits += bool(due) and not dry_run
        self.done.rows += counted.rows
        self.done.moved += counted.moved
        self.done.kept += counted.kept
        return True

    def _finds(self, group: Sequence[DataFile]) -> list[Find]:
        """Return which keys in these files' `extra` are a column's by now.

        A table's header is matched by its normal form, JSON to the letter: as at ingest.
        """
        by_name = {_matched(self.source, name): column for column in self.columns for name in column.names}
        wanted = by_name.keys() if self.source.format == "ndjson" else None
        keys = self.con.execute(keys_sql(self._rows(group), wanted)).fetchall()
        return [
            Find(key, column, column.duck_type, trimmed=self.source.format != "ndjson")
            for (key,) in sorted(keys)
            if (column := by_name.get(_matched(self.source, key))) is not None
        ]

    def _count(self, file: DataFile, finds: Sequence[Find], counted: Refilled) -> bool:
        """Count what moves and what stays in a file; return whether anything moves."""
        row: tuple[Any, ...] = self.con.execute(counts_sql(self._rows([file]), finds)).fetchall()[0]
        for find, moved, kept in zip(finds, row[1::2], row[2::2], strict=True):
            counted.moved[find.column.name] += moved
            counted.kept[find.column.name] += kept
        counted.rows += row[0]
        return bool(row[0])

    def _rows(self, files: Sequence[DataFile]) -> str:
        """Return the SELECT of files' rows, with the columns that the table is about to get."""
        read = data_files.read_sql(self.table, [file.file_path for file in files])
        new = [f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in self.new.items()]
        return f"SELECT *, {', '.join(new)} FROM ({read})" if new else read

    def _rewrite(self, files: Sequence[DataFile], finds: Sequence[Find]) -> bool:
        """Replace files by refilled ones in one commit; return whether they were still there to replace."""
        written = data_files.write(
            self.con, self.table, refilled_sql(self._rows(files), finds), f"refill-{uuid.uuid4()}"
        )
        if written.rows != sum(file.record_count for file in files):
            data_files.discard(self.table, written)
            raise Terminal(
                f"{self.source.table}: {written.rows} rows would replace others in number, such as those of "
                f"{files[0].file_path}; nothing was changed"
            )
        try:
            replace_files(self.table, files, written.files, same_rows=False)
        except CommitConflict:
            data_files.discard(self.table, written)
            return False
        self.seen.update(file.file_path for file in written.files)
        return True


def _matched(source: Source, name: str) -> str:
    return name if source.format == "ndjson" else headers.normal(name)
