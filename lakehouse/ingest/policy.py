"""The tunable numbers of ingest: batches and their commits, loading, quarantine, replay, refill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import MIB, Policy
from lakehouse.retrying import RetryPolicy

BATCH_RETRY = RetryPolicy(attempts=8)  # of a whole batch: read, write and commit, after a lost race
COMMIT_RETRY = RetryPolicy(attempts=20)  # of the commit alone, while nobody brought the same messages
REPLAY_RETRY = RetryPolicy(attempts=8)  # of files that another replay loaded first
REFILL_RETRY = RetryPolicy(attempts=8)  # of files that another writer replaced first


@dataclass(frozen=True)
class BatchPolicy(Policy):
    """How many raw files of one source are loaded with one commit."""

    max_files: Annotated[int, "raw files in one commit, at most"] = 500
    max_bytes: Annotated[int, "bytes of raw files in one commit, at most; a single file may be larger"] = (
        512 * MIB
    )


@dataclass(frozen=True)
class LoadingPolicy(Policy):
    """How much of the raw files is in memory and on scratch disk while they are loaded."""

    unit_bytes: Annotated[
        int, "bytes of text in one unit, two pieces; as rows in memory they take one to three times as much"
    ] = 64 * MIB
    memory_mb_per_unit: Annotated[
        int,
        "MiB of the function's memory for each unit that is put into one where rows go to many partitions",
    ] = 1_024
    pieces_ahead: Annotated[int, "pieces that are fetched and unpacked while others are read"] = 4


@dataclass(frozen=True)
class QuarantinePolicy(Policy):
    """How quarantine objects are written, read and looked up."""

    write_memory_bytes: Annotated[
        int, "bytes of a quarantine object that are held in memory; more go through a temporary file"
    ] = MIB
    single_put_bytes: Annotated[
        int, "bytes of a quarantine object that are uploaded in one request; more go in parts"
    ] = 64 * MIB
    rows_per_read: Annotated[int, "bad rows of a load that are read from DuckDB at once"] = 1_000
    lines_per_insert: Annotated[int, "lines of quarantine objects that are in memory at once"] = 5_000
    shortest_file_id: Annotated[int, "characters of a file id that a person must give, at least"] = 8


@dataclass(frozen=True)
class ReplayPolicy(Policy):
    """How much is replayed with one call of ingest, and how many files are planned at once."""

    max_rows: Annotated[
        int, "rows in quarantine of one call of ingest, at most; a single file may hold more"
    ] = 200_000
    max_files: Annotated[int, "raw files of one call of ingest, at most"] = 500
    plan_threads: Annotated[int, "files whose quarantine objects are read at the same time"] = 8


@dataclass(frozen=True)
class RefillPolicy(Policy):
    """How many data files a refill writes anew with one commit."""

    group_bytes: Annotated[int, "bytes of Parquet in one commit, at most; a single file may be larger"] = (
        256 * MIB
    )
    group_files: Annotated[int, "data files in one commit, at most"] = 200
