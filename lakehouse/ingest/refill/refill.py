"""Refill: columns that a mapping names by now get the values that older rows keep in `extra`.

The data files that hold such rows are written anew, a group of files a commit. Rows keep their file, number and time.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse import telemetry
from lakehouse.batching import Limit, batches
from lakehouse.engine import duck
from lakehouse.engine.escape import identifier
from lakehouse.errors import CommitConflict, Terminal
from lakehouse.ingest.policy import REFILL_RETRY, RefillPolicy
from lakehouse.ingest.reading.hash_key import hash_key
from lakehouse.ingest.refill.refill_plan import columns_by_name, match_keys, pending_columns
from lakehouse.ingest.refill.refill_sql import Move, counts_sql, keys_sql, refilled_sql
from lakehouse.progress import Progress, no_progress
from lakehouse.retrying import retry_on_conflict
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import data_files
from lakehouse.tables.commit import live_files
from lakehouse.tables.replace_files import replace_files

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import DataFile, Table


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

    def add(self, other: Refilled) -> None:
        """Add the counts of another part of the refill."""
        self.files += other.files
        self.rows += other.rows
        self.commits += other.commits
        self.moved += other.moved
        self.kept += other.kept

    def as_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        return vars(self) | {"moved": dict(self.moved), "kept": dict(self.kept)}


def refill(
    settings: Settings,
    source: Source,
    *,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> Refilled:
    """Move what fits from `extra` to the source's columns, in all files of its table; a repeat finds nothing to move.

    Ingest and maintenance may go on meanwhile: after a lost race the table is looked at again. `progress` hears how
    many bytes of data files are done. Raises CommitConflict when others replaced the same files each time, and
    Transient when the outcome of a commit is unknown; what was committed by then stays, and a repeat does the rest.
    """
    done = Refilled()
    finished_paths: set[str] = set()
    catalog = catalogs.open_catalog(settings)
    if not dry_run:
        catalogs.ensure(catalog, source.contract)
    with closing(duck.connect(settings, iceberg=False)) as con:
        if not dry_run and (key := hash_key(settings, source)) is not None:
            key.set_on(con)

        def refill_current_files() -> None:
            # Loaded, not ensured: the files keep also what this program does not know of.
            table = catalogs.load(catalog, source.table)
            if table is None:
                return
            files = [file for file in _files_with_extra(table) if file.file_path not in finished_paths]
            table_pass = _TablePass(con, table, source, done, finished_paths)
            if not table_pass.run(files, progress, dry_run=dry_run):
                raise CommitConflict(
                    f"{source.table}: its files are replaced by others all the time; try again"
                )

        def log_lost_race(attempt: int, _: Exception) -> None:
            telemetry.info("lost a race, looking again", table=source.table, attempt=attempt)

        retry_on_conflict(refill_current_files, REFILL_RETRY, on_conflict=log_lost_race)
    return done


def _files_with_extra(table: Table) -> list[DataFile]:
    """Return the files that may hold something in `extra`, neighbours in partition together."""
    extra = table.schema().find_field("extra").field_id
    files = []
    for file in live_files(table):
        empty = (file.null_value_counts or {}).get(extra, 0)
        if empty < file.record_count:
            files.append(file)
    return sorted(files, key=lambda file: (file.spec_id, str(file.partition), file.file_path))


class _TablePass:
    """One pass over a table. `done` and `finished_paths` (of data files that are done with) outlive it."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        source: Source,
        done: Refilled,
        finished_paths: set[str],
    ) -> None:
        self._con, self._table, self._source = con, table, source
        self._done, self._finished_paths = done, finished_paths
        known = {field.field_id: field.name for field in table.schema().fields}
        self._columns, self._new_columns = pending_columns(source, known, table.metadata.last_column_id)

    def run(self, files: Sequence[DataFile], progress: Progress, *, dry_run: bool) -> bool:
        """Refill the files group by group; return whether no race was lost."""
        total, finished, no_race_lost = sum(file.file_size_in_bytes for file in files), 0, True
        size = Limit["DataFile"](lambda file: file.file_size_in_bytes, RefillPolicy.group_bytes)
        for group in batches(files, size, count=RefillPolicy.group_files):
            if not self._refill_group(group, dry_run=dry_run):
                no_race_lost = False
            finished += sum(file.file_size_in_bytes for file in group)
            progress(self._source.table, finished, total)
        return no_race_lost

    def _refill_group(self, group: Sequence[DataFile], *, dry_run: bool) -> bool:
        """Refill the files of a group in one commit; return whether they were still there to replace."""
        counted = Refilled()
        due: list[DataFile] = []
        moves = self._moves(group)
        if moves:
            due = [file for file in group if self._count(file, moves, counted)]
        if due and not dry_run:
            if not self._rewrite(due, moves):
                return False
            counted.commits = 1
        counted.files = len(due)
        self._done.add(counted)
        self._finished_paths.update(file.file_path for file in group)
        return True

    def _moves(self, group: Sequence[DataFile]) -> list[Move]:
        """Return which keys in these files' `extra` belong to a column by now."""
        # JSON is matched to the letter, so DuckDB can look for the names; a header needs its normal form first.
        names = columns_by_name(self._source, self._columns) if self._source.format == "ndjson" else None
        keys = self._con.execute(keys_sql(self._rows_sql(group), names)).fetchall()
        return match_keys(self._source, self._columns, {key for (key,) in keys})

    def _count(self, file: DataFile, moves: Sequence[Move], counted: Refilled) -> bool:
        """Count what moves and what stays in a file; return whether anything moves."""
        [(rows, *counts)] = self._con.execute(counts_sql(self._rows_sql([file]), moves)).fetchall()
        for move, moved, kept in zip(moves, counts[0::2], counts[1::2], strict=True):
            counted.moved[move.column.name] += moved
            counted.kept[move.column.name] += kept
        counted.rows += rows
        return bool(rows)

    def _rows_sql(self, files: Sequence[DataFile]) -> str:
        """Return the SELECT of files' rows, with the columns that the table is about to get."""
        rows = data_files.read_sql(self._table, [file.file_path for file in files])
        new = [f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in self._new_columns.items()]
        return f"SELECT *, {', '.join(new)} FROM ({rows})" if new else rows

    def _rewrite(self, files: Sequence[DataFile], moves: Sequence[Move]) -> bool:
        """Replace files by refilled ones in one commit; return whether they were still there to replace."""
        query = refilled_sql(self._rows_sql(files), moves)
        new_files = data_files.write(self._con, self._table, query, f"refill-{uuid.uuid4()}")
        if new_files.rows != sum(file.record_count for file in files):
            data_files.discard(self._table, new_files)
            raise Terminal(
                f"{self._source.table}: {new_files.rows} rows would replace others in number, such as those of "
                f"{files[0].file_path}; nothing was changed"
            )
        try:
            replace_files(self._table, files, new_files.files, same_rows=False)
        except CommitConflict:
            data_files.discard(self._table, new_files)
            return False
        self._finished_paths.update(file.file_path for file in new_files.files)
        return True
