"""The tunable numbers of the books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import MIB, Policy
from lakehouse.retrying import RetryPolicy


@dataclass(frozen=True)
class BooksCommitPolicy(Policy):
    """How much one commit of the books copies; an object is never cut, so one may be larger."""

    max_objects: Annotated[int, "objects of which one commit copies the lines"] = 2_000
    max_bytes: Annotated[int, "bytes of these objects"] = 256 * MIB


@dataclass(frozen=True)
class ObjectReadPolicy(Policy):
    """How the lines of objects come into DuckDB."""

    small_object_bytes: Annotated[int, "size up to which an object is read as a whole, beside others"] = MIB
    small_objects_at_once: Annotated[int, "small objects that are in memory at once"] = 64
    insert_bytes: Annotated[int, "characters of lines and keys that go into DuckDB by one INSERT"] = 8 * MIB
    threads: Annotated[int, "small objects that are read at the same time"] = 8


# Optimistic concurrency: a message that failed would hold up its FIFO group for the whole visibility time-out.
BOOKS_RETRIES = RetryPolicy(attempts=5)
