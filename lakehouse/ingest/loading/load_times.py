"""When the rows of a file count as loaded: by this, of two versions of a record without a clock one is the later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lakehouse.ingest.quarantine.replay_plan import Replay
    from lakehouse.tables.ledger import Load

_APART: Final = timedelta(microseconds=1)  # the smallest step of a timestamp


@dataclass(frozen=True)
class LoadTimes:
    """The time of an attempt, and when the rows of each of its files count as loaded, by file id."""

    now: datetime
    of_files: Mapping[str, datetime]


def load_times(
    file_ids: Iterable[str],
    replays: Mapping[str, Replay],
    loads: Mapping[str, Load],
    now: datetime,
) -> LoadTimes:
    """Return the time of each file: now, a step apart in the order in which they came.

    That of a replayed file is when it was first tried, so that its rows do not come after those of files that are
    newer. `loads` is what the table has of each file; only replays need it.
    """
    times = {}
    for position, file_id in enumerate(file_ids):
        first_tried = _first_tried(file_id, replays.get(file_id), loads)
        times[file_id] = first_tried or now + position * _APART
    return LoadTimes(now, times)


def _first_tried(file_id: str, replay: Replay | None, loads: Mapping[str, Load]) -> datetime | None:
    """Return when a file that is replayed was first tried; None for another, and where nobody knows."""
    if replay is None:
        return None
    if file_id in loads:
        return loads[file_id].since
    return datetime.fromisoformat(replay.since) if replay.since else None
