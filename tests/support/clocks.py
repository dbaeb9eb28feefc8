"""A wall clock that a test sets while the monotonic one goes on, and what readers of Iceberg say of a table's times."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyiceberg.table.metadata
import pyiceberg.table.update
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.table.metadata import TableMetadata

_real_time = time.time
_MINUTE_MS = 60_000


class SettableClock:
    """How many seconds the wall clock is ahead of the right time."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def step(self, seconds: float) -> None:
        """Set the clock forward, or back."""
        self.ahead += seconds

    def now(self) -> float:
        return _real_time() + self.ahead


@contextmanager
def settable_clock() -> Iterator[SettableClock]:
    """Let `time.time` and pyiceberg's clock be one that the test sets."""
    clock = SettableClock()

    class Datetime(dt.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> dt.datetime:  # type: ignore[override]
            return dt.datetime.fromtimestamp(clock.now(), tz)

    module: Any = SimpleNamespace(**vars(dt) | {"datetime": Datetime})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", clock.now)
        patch.setattr(pyiceberg.table.update, "datetime", Datetime)
        patch.setattr(pyiceberg.table.metadata, "datetime", module)
        yield clock


def refusals(metadata: TableMetadata) -> list[str]:
    """Return why Iceberg's readers in Java and Go would refuse a table: their rules, written out."""
    wrong = []
    for name, log in (("snapshot", metadata.snapshot_log), ("metadata", metadata.metadata_log)):
        times = [entry.timestamp_ms for entry in log]
        if any(later - earlier < -_MINUTE_MS for earlier, later in pairwise(times)):
            wrong.append(f"expected sorted {name} log entries")
        if times and metadata.last_updated_ms - times[-1] < -_MINUTE_MS:
            wrong.append(f"invalid update timestamp: before last {name} log entry")
    return wrong
