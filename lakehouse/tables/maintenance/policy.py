"""The tunable numbers of maintenance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from lakehouse.policy import GIB, MIB, Policy
from lakehouse.retrying import RetryPolicy


@dataclass(frozen=True)
class MaintenancePolicy(Policy):
    """When maintaining a table is worth a commit, and how long what readers may still need is kept."""

    target_file_bytes: Annotated[
        int, "size of a data file that is as it should be, unless the table says write.target-file-size-bytes"
    ] = 128 * MIB
    small_file_share: Annotated[
        float, "share of the target size from which on a data file is large enough, and never rewritten"
    ] = 0.75
    min_files_to_rewrite: Annotated[int, "small files of one partition that are worth a rewrite"] = 5
    max_size_ratio: Annotated[
        int,
        "a file is rewritten with smaller ones if it is at most so many times as large as they are in sum",
    ] = 3
    min_last_file_share: Annotated[
        float, "share of the target size from which on the rest of a partition becomes a file of its own"
    ] = 0.25
    min_partitions_to_coarsen: Annotated[
        int, "partitions by day, or month, from which on small ones become months, or years"
    ] = 30
    coarser_partition_bytes: Annotated[
        int, "size up to which the rows of a typical month, or year, are kept in one partition"
    ] = 32 * MIB
    max_commit_bytes: Annotated[
        int, "bytes of data files that one commit replaces; a lost race costs these"
    ] = GIB
    max_small_manifests: Annotated[int, "small manifests that a table may have before they are merged"] = 30
    min_snapshots_to_keep: Annotated[int, "newest snapshots that stay, however old they are"] = 50
    max_snapshot_age: Annotated[
        timedelta, "age up to which every snapshot stays: readers pin one when they connect"
    ] = timedelta(hours=1)
    max_consumer_lag: Annotated[
        timedelta, "age up to which a snapshot stays for a consumer that has not read it"
    ] = timedelta(days=7)
    min_orphan_age: Annotated[
        timedelta,
        "age from which on a file that nothing refers to is deleted; a younger one may be committed yet",
    ] = timedelta(days=3)


@dataclass(frozen=True)
class FileAccessPolicy(Policy):
    """How files of metadata are read, and files are deleted."""

    threads: Annotated[int, "manifests that are read, or files that are deleted, at once"] = 8


# Optimistic concurrency: a lost race is planned anew, with what the winner left.
EXPIRY_RETRIES = RetryPolicy(attempts=10)
REWRITE_RETRIES = RetryPolicy(attempts=4)
