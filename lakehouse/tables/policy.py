"""The tunable numbers of the tables; those of maintenance stand in `maintenance/policy.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import MIB, Policy
from lakehouse.retrying import RetryPolicy


@dataclass(frozen=True)
class NewTablePolicy(Policy):
    """Properties that a table gets when it is made, and with its next migration.

    Eight writers on one table failed with Iceberg's default of 4 retries; with these they did not.
    """

    commit_retries: Annotated[int, "times that a commit is tried again beside other writers"] = 20
    commit_min_wait_ms: Annotated[int, "shortest wait before a commit is tried again, in milliseconds"] = 100
    commit_max_wait_ms: Annotated[int, "longest wait before a commit is tried again, in milliseconds"] = 2_000
    commit_timeout_ms: Annotated[int, "time after which a commit is not tried again, in milliseconds"] = (
        120_000
    )
    previous_metadata_files: Annotated[
        int, "old metadata files that stay for readers who connected earlier; each costs every commit 0.2 ms"
    ] = 100


@dataclass(frozen=True)
class ManifestPolicy(Policy):
    """How manifests are merged."""

    target_bytes: Annotated[
        int,
        "size of a merged manifest, the default of Iceberg's commit.manifest.target-size-bytes; half is small",
    ] = 8 * MIB


@dataclass(frozen=True)
class RowReplacePolicy(Policy):
    """How tables are written of which few rows change at a time, such as who is who."""

    file_rows: Annotated[
        int,
        "rows of one of their data files, about: what a change of one row writes anew; a multiple of 2,048",
    ] = 32_768
    file_bytes: Annotated[
        int, "bytes of such a file, about, where that are fewer rows: wide ones cost more to write"
    ] = MIB // 2
    largest_file: Annotated[
        int, "a file of more than so many times these rows makes the next change cut the table anew"
    ] = 3
    files_at_once: Annotated[int, "files that are written anew at once: each 32,768 rows take 10 MiB"] = 4


@dataclass(frozen=True)
class TableReadPolicy(Policy):
    """How much is read at once."""

    catalog_threads: Annotated[int, "tables that are loaded from the catalog at once"] = 8
    note_threads: Annotated[int, "notes of files without a table that are read at once"] = 8


# Optimistic concurrency: every writer of a new release finds that the table must change.
MIGRATION_RETRIES = RetryPolicy(attempts=20, first_wait_seconds=0.05, longest_wait_seconds=1.0)
