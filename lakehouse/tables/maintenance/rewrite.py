"""Rewrites small data files of a partition into one, sorted, beside whoever appends.

DuckDB reads and writes; two files are made at a time, since sorting one occupies one core. The rows of a new file are
counted against those of the old ones, column by column, before they replace them.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.table import Table

from lakehouse.batching import Limit, batches
from lakehouse.engine import duck
from lakehouse.errors import CommitConflict, Terminal
from lakehouse.progress import Progress, no_progress
from lakehouse.retrying import retry_on_conflict
from lakehouse.tables import data_files
from lakehouse.tables.maintenance.observe import observe
from lakehouse.tables.maintenance.policy import REWRITE_RETRIES, MaintenancePolicy
from lakehouse.tables.maintenance.table_plan import Bin, RewritePlan, plan_rewrite
from lakehouse.tables.replace_files import replace_files

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.manifest import DataFile

    from lakehouse.settings import Settings


@dataclass(frozen=True)
class Rewritten:
    """What a rewrite did: the plan that was applied, and in how many commits."""

    plan: RewritePlan
    commits: int = 0

    @property
    def files(self) -> int:
        """Return how many files were read."""
        return self.plan.files

    @property
    def into(self) -> int:
        """Return how many files they became."""
        return len(self.plan.bins)

    @property
    def bytes(self) -> int:
        """Return how many bytes were read."""
        return self.plan.bytes

    @property
    def lost(self) -> int:
        """Return how many bins lost every race against other writers."""
        return self.plan.lost_bins

    def as_json(self) -> dict[str, int]:
        """Return the counts under the names that `maintain --json` uses."""
        return {name: getattr(self, name) for name in ("files", "into", "bytes", "commits", "lost")}


class _RaceLostError(CommitConflict):
    """Some bins of a plan could not be committed, since another writer replaced their files."""


def rewrite(
    settings: Settings, table: Table, policy: MaintenancePolicy, progress: Progress = no_progress
) -> Rewritten:
    """Rewrite the table's small files, some partitions a commit; `progress` hears of the bytes of each round.

    Whoever removes one of the files meanwhile wins: what was made of them is deleted and the rest planned again, four
    times at most; `lost` counts what the last round had to leave. Raises Terminal when new files do not hold what the
    old ones held (nothing is committed), and Transient when a commit's outcome is unknown.
    """
    # A writer's view may lack columns of a newer release, and so would the files.
    if type(table) is not Table:
        table = table.catalog.load_table(table.name())
    committed: list[list[Bin]] = []
    target_file_bytes = lost_bins = delete_files = 0

    def plan_and_apply() -> None:
        nonlocal target_file_bytes, lost_bins, delete_files
        plan = plan_rewrite(observe(table.refresh(), policy), policy)
        target_file_bytes, delete_files = plan.target_file_bytes, plan.delete_files
        batches_of_plan = apply(settings, table, plan, policy.max_commit_bytes, progress)
        committed.extend(batches_of_plan)
        lost_bins = len(plan.bins) - sum(len(batch) for batch in batches_of_plan)
        if lost_bins:
            raise _RaceLostError(f"{'.'.join(table.name())}: {lost_bins} rewrites lost against other writers")

    with suppress(_RaceLostError):  # the result says how many bins lost the last race, too
        retry_on_conflict(plan_and_apply, REWRITE_RETRIES, conflicts=(_RaceLostError,))
    bins = tuple(each for batch in committed for each in batch)
    return Rewritten(RewritePlan(bins, target_file_bytes, lost_bins, delete_files), len(committed))


def apply(
    settings: Settings,
    table: Table,
    plan: RewritePlan,
    max_commit_bytes: int,
    progress: Progress = no_progress,
) -> list[list[Bin]]:
    """Rewrite the bins of a plan, several in one commit; return the batches that were committed.

    A batch of which a file is not live any more is left out: a commit replaces exactly the files it names.
    """
    if not plan.bins:
        return []
    # Two files are written at a time: then a thread for each is faster than threads that help each other.
    threads_of_query = settings.threads if len(plan.bins) < settings.threads else 1
    name = ".".join(table.name())
    read_bytes = 0
    committed = []
    with closing(duck.connect(settings, iceberg=False, threads=threads_of_query)) as con:
        for batch in batches(plan.bins, Limit(lambda each: each.bytes, max_commit_bytes)):
            if _rewrite_batch(con, settings.threads, table, batch):
                committed.append(batch)
            read_bytes += sum(each.bytes for each in batch)
            progress(name, read_bytes, plan.bytes)
    return committed


def _rewrite_batch(con: duckdb.DuckDBPyConnection, threads: int, table: Table, batch: Sequence[Bin]) -> bool:
    """Rewrite bins in one commit; return whether it was made. Deletes what it wrote when it was certainly not."""
    folder = f"{table.location()}/data/rewrite-{uuid.uuid4()}"
    paths = [f"{folder}/{number:05}.parquet" for number in range(len(batch))]

    def write_bin(path: str, each: Bin) -> DataFile:
        with closing(con.cursor()) as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            return _write_bin(cursor, table, path, each)

    try:
        with ThreadPoolExecutor(threads) as pool:
            new_files = list(pool.map(write_bin, paths, batch))
    except BaseException:  # nothing was committed: nobody refers to these
        _discard(table, paths)
        raise
    old_files = [file for each in batch for file in each.files]
    try:
        replace_files(table, old_files, new_files, same_rows=True)
    except CommitConflict:
        _discard(table, paths)
        return False
    return True


def _write_bin(con: duckdb.DuckDBPyConnection, table: Table, path: str, each: Bin) -> DataFile:
    query = data_files.read_sql(table, (file.file_path for file in each.files))
    new_file = data_files.write_partition(con, table, query, path, each.partition)
    if differences := differing(table, each.files, [new_file]):
        raise Terminal(
            f"{'.'.join(table.name())}: rewritten files would not hold what the old ones hold "
            f"({', '.join(differences)}), such as {each.files[0].file_path}; nothing was changed"
        )
    return new_file


def differing(table: Table, old: Sequence[DataFile], new: Sequence[DataFile]) -> list[str]:
    """Return in what two sets of files of one table differ: `rows`, or columns with another number of values.

    A file that does not mention a column was written before the column came, and holds none of its values.
    """
    before, after = _value_counts(old), _value_counts(new)
    differences = [
        field.name for field in table.schema().fields if before[field.field_id] != after[field.field_id]
    ]
    if sum(file.record_count for file in old) != sum(file.record_count for file in new):
        differences.insert(0, "rows")
    return differences


def _value_counts(files: Iterable[DataFile]) -> Counter[int]:
    """Count the values that are not null, by field id."""
    counts: Counter[int] = Counter()
    for file in files:
        for field_id, nulls in (file.null_value_counts or {}).items():
            counts[field_id] += file.record_count - nulls
    return counts


def _discard(table: Table, paths: Iterable[str]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            table.io.delete(path)
