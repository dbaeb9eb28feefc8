"""What maintenance finds and what it would do about it: pure decisions over a table's metadata and manifests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pyiceberg.conversions import from_bytes
from pyiceberg.types import PrimitiveType

from lakehouse.errors import Terminal
from lakehouse.tables.commit import live_files

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table
    from pyiceberg.typedef import Record

MIB = 2**20


@dataclass(frozen=True)
class Policy:
    """When something is worth doing, and how long what readers may still need is kept."""

    target_bytes: int = 128 * MIB  # unless the table says write.target-file-size-bytes
    small: float = 0.75  # of the target: what is larger is never rewritten
    min_files: int = 5
    growth: int = 3  # a file is rewritten with smaller ones only if together they are a third of it
    commit_bytes: int = 1024 * MIB
    manifests: int = 30  # small ones, before they are merged
    keep_snapshots: int = 50
    keep_for: timedelta = timedelta(hours=1)  # readers pin a snapshot when they connect
    hold_for: timedelta = timedelta(days=7)  # the longest that a consumer which lags holds snapshots back
    orphan_age: timedelta = timedelta(days=3)


@dataclass(frozen=True)
class State:
    """How a table stands. `orphans` is None where nobody looked."""

    files: int
    small_files: int
    bytes: int
    manifests: int
    snapshots: int
    orphans: int | None = None


@dataclass(frozen=True)
class Bin:
    """Small files of one partition that become one."""

    partition: Record
    files: tuple[DataFile, ...]

    @property
    def bytes(self) -> int:
        """Return how many bytes are read."""
        return sum(file.file_size_in_bytes for file in self.files)


def observe(table: Table, policy: Policy) -> State:
    """Return how the table stands, by its metadata and manifests."""
    snapshot = table.current_snapshot()
    limit = target_bytes(table, policy) * policy.small
    files = live_files(table)
    return State(
        files=len(files),
        small_files=sum(file.file_size_in_bytes < limit for file in files),
        bytes=sum(file.file_size_in_bytes for file in files),
        manifests=len(snapshot.manifests(table.io)) if snapshot else 0,
        snapshots=len(table.metadata.snapshots),
    )


def target_bytes(table: Table, policy: Policy) -> int:
    """Return the size that a data file of the table should have; Terminal for a setting that is no size."""
    text = table.properties.get("write.target-file-size-bytes", str(policy.target_bytes))
    if not text.isdecimal() or int(text) == 0:
        raise Terminal(
            f"{'.'.join(table.name())}: write.target-file-size-bytes is {text!r}, not a number of bytes"
        )
    return int(text)


def plan_bins(table: Table, policy: Policy) -> list[Bin]:
    """Return which files should be rewritten together, smallest partitions first.

    Files of another partition spec, and files that nothing is known about (no counts of nulls, by which a rewrite
    checks itself), stay as they are.
    """
    target = target_bytes(table, policy)
    spec_id = table.spec().spec_id
    partitions: dict[tuple[object, ...], list[DataFile]] = defaultdict(list)
    for file in live_files(table):
        partition = file.partition
        if file.spec_id == spec_id and file.null_value_counts:
            partitions[tuple(partition[n] for n in range(len(partition)))].append(file)
    bins = [
        Bin(group[0].partition, tuple(group))
        for files in partitions.values()
        for group in _groups(sorted(files, key=lambda file: _place(table, file)), target, policy)
    ]
    return sorted(bins, key=lambda each: each.bytes)


def _place(table: Table, file: DataFile) -> tuple[object, ...]:
    """Return what orders files by where they begin in the table's sort order, so that neighbours meet in a bin."""
    for field in table.sort_order().fields[:1]:
        kind = table.schema().find_type(field.source_id)
        bound = (file.lower_bounds or {}).get(field.source_id)
        if bound is not None and isinstance(kind, PrimitiveType):
            return (1, from_bytes(kind, bound))
    return (0, file.file_path)


def _groups(files: list[DataFile], target: int, policy: Policy) -> Iterator[list[DataFile]]:
    """Cut the files of a partition that are worth rewriting into groups of about the target size."""
    chosen = _worth_rewriting(files, target * policy.small, policy.growth)
    if len(chosen) < policy.min_files:
        return
    worth = [file for file in files if file in chosen]
    rest = sum(file.file_size_in_bytes for file in worth)
    group: list[DataFile] = []
    size = 0
    for file in worth:
        group.append(file)
        size += file.file_size_in_bytes
        if size >= target and rest - size >= target // 4:  # else the last group would be small again
            yield group
            rest -= size
            group, size = [], 0
    if len(group) > 1:
        yield group


def _worth_rewriting(files: Iterable[DataFile], limit: float, growth: int) -> set[DataFile]:
    """Return the small files, without those that are large beside all smaller ones.

    So a file is rewritten only after its partition has grown by a third of it: however many small files come, a row
    is written a few times on its way to the target size.
    """
    chosen: set[DataFile] = set()
    size = 0
    for file in sorted(files, key=lambda file: file.file_size_in_bytes):
        bytes_ = file.file_size_in_bytes
        if bytes_ >= limit or (chosen and bytes_ > growth * size):
            break
        chosen.add(file)
        size += bytes_
    return chosen
