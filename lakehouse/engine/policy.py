"""The tunable numbers of DuckDB connections; memory and threads are settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class PartitionedWritePolicy(Policy):
    """How a COPY with PARTITION_BY uses memory."""

    flush_rows: Annotated[
        int,
        "rows that are kept in memory before they go to their partitions' files; by DuckDB's default a whole batch was",
    ] = 30_000
    max_open_files: Annotated[int, "files that are written at the same time"] = 20


@dataclass(frozen=True)
class NormalFormPolicy(Policy):
    """How identifiers are brought into their normal form."""

    longest_text: Annotated[int, "characters of a pasted value that are looked at"] = 10_000
    remembered_values: Annotated[int, "unusual values whose normal form a connection remembers"] = 50_000


@dataclass(frozen=True)
class UserAgentPolicy(Policy):
    """How user agents are read."""

    longest_text: Annotated[int, "characters of a user agent that are looked at"] = 1_000
    remembered_texts: Annotated[int, "user agents that a process remembers having read"] = 50_000
