"""Rewrites small data files of a partition into one, sorted, beside whoever appends.

DuckDB reads and writes; two files are made at a time, since sorting one occupies one core. The rows of a new file are
counted against those of the old ones, column by column, before they take their place.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.table import Table

from lakehouse.engine import duck
from lakehouse.errors import CommitConflict, Terminal
from lakehouse.tables import data_files
from lakehouse.tables.maintenance.table_plan import Bin, Policy, plan_bins
from lakehouse.tables.replace_files import replace_files

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.manifest import DataFile

    from lakehouse.settings import Settings

_ROUNDS = 4  # a lost race is planned anew, with what the winner left


@dataclass
class Rewritten:
    """What a rewrite did: files read, files they became, bytes read, commits, and races lost for good."""

    files: int = 0
    into: int = 0
    bytes: int = 0
    commits: int = 0
    lost: int = 0


def rewrite(
    settings: Settings, table: Table, policy: Policy, on: Callable[[int, int], None] = lambda *_: None
) -> Rewritten:
    """Rewrite the table's small files, some partitions a commit; `on(bytes, of)` hears how far it is.

    Whoever removes one of the files meanwhile wins: what was made of them is deleted and the rest planned again, four
    times at most; `lost` counts what the last round had to leave. Raises Terminal when new files do not hold what the
    old ones held (nothing is committed), and Transient when a commit's outcome is unknown.
    """
    # A writer's view may lack columns of a newer release, and so would the files.
    if type(table) is not Table:
        table = table.catalog.load_table(table.name())
    done = Rewritten()
    for _ in range(_ROUNDS):
        bins = plan_bins(table.refresh(), policy)
        done.lost = 0
        if not bins:
            break
        total, read = sum(each.bytes for each in bins), 0
        # Two files are written at a time: then a thread for each is faster than threads that help each other.
        alone = settings.threads if len(bins) < settings.threads else 1
        with closing(duck.connect(settings, iceberg=False, threads=alone)) as con:
            for batch in _batches(bins, policy.commit_bytes):
                if not _rewrite_batch(con, settings.threads, table, batch, done):
                    done.lost += len(batch)
                read += sum(each.bytes for each in batch)
                on(read, total)
        if not done.lost:
            break
    return done


def _batches(bins: Iterable[Bin], most: int) -> Iterator[list[Bin]]:
    """Cut bins into commits: a lost race costs one of them."""
    batch: list[Bin] = []
    size = 0
    for each in bins:
        if batch and size + each.bytes > most:
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.bytes
    if batch:
        yield batch


def _rewrite_batch(
    con: duckdb.DuckDBPyConnection, threads: int, table: Table, batch: Sequence[Bin], done: Rewritten
) -> bool:
    """Rewrite bins in one commit; return whether it was made. Deletes what it wrote when it was certainly not."""
    folder = f"{table.location()}/data/rewrite-{uuid.uuid4()}"
    paths = [f"{folder}/{number:05}.parquet" for number in range(len(batch))]
    old = [file for each in batch for file in each.files]

    def make(path: str, each: Bin) -> DataFile:
        with closing(con.cursor()) as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            return _write(cursor, table, path, each)

    try:
        with ThreadPoolExecutor(threads) as pool:
            new = list(pool.map(make, paths, batch))
    except BaseException:  # nothing was committed: nobody refers to these
        _discard(table, paths)
        raise
    try:
        replace_files(table, old, new, same_rows=True)
    except CommitConflict:
        _discard(table, paths)
        return False
    done.files += len(old)
    done.into += len(new)
    done.bytes += sum(each.bytes for each in batch)
    done.commits += 1
    return True


def _write(con: duckdb.DuckDBPyConnection, table: Table, path: str, each: Bin) -> DataFile:
    query = data_files.read_sql(table, (file.file_path for file in each.files))
    file = data_files.write_partition(con, table, query, path, each.partition)
    if wrong := differing(table, each.files, [file]):
        raise Terminal(
            f"{'.'.join(table.name())}: rewritten files would not hold what the old ones hold ({', '.join(wrong)}), "
            f"such as {each.files[0].file_path}; nothing was changed"
        )
    return file


def differing(table: Table, old: Sequence[DataFile], new: Sequence[DataFile]) -> list[str]:
    """Return in what two sets of files of one table differ: `rows`, or columns with another number of values.

    A file that does not mention a column was written before the column came, and holds none of its values.
    """
    names = {field.field_id: field.name for field in table.schema().fields}
    before, after = _values(old), _values(new)
    wrong = [name for field_id, name in names.items() if before[field_id] != after[field_id]]
    rows = sum(file.record_count for file in old) != sum(file.record_count for file in new)
    return (["rows"] if rows else []) + wrong


def _values(files: Iterable[DataFile]) -> Counter[int]:
    """Count the values that are not null, by field id."""
    found: Counter[int] = Counter()
    for file in files:
        for field_id, nulls in (file.null_value_counts or {}).items():
            found[field_id] += file.record_count - nulls
    return found


def _discard(table: Table, paths: Iterable[str]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            table.io.delete(path)
