"""What a sync was last planned for: a small object, so that to ask whether there is news need not read the whole log.

`outbound/<sync>/planned.json` is written by `export_segments` alone. It is a note, not the truth: absent, damaged or
older than the log it says nothing, and `export_segments` folds the outcomes and writes it anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse import objects, telemetry
from lakehouse.outbound import log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.outbound.acknowledged import Missed, State
    from lakehouse.outbound.definition import Sync
    from lakehouse.settings import Settings


@dataclass(frozen=True, slots=True)
class PlanningNote:
    """`seen`: all that a comparison depended on which found no news; `run`: the latest run by then ("": none).

    `at` is when that was, `held` how many the CRM held, `due` when a row that was missed goes again (None: none waits).
    Times are ISO-8601.
    """

    seen: dict[str, Any]
    at: str
    run: str
    due: str | None
    held: int = 0

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PlanningNote:
        """Read what `write` wrote; raises TypeError or ValueError for anything else."""
        note = cls(**value)
        moments = [datetime.fromisoformat(moment) for moment in (note.at, note.due) if moment is not None]
        if not isinstance(note.run, str) or any(moment.tzinfo is None for moment in moments):
            raise TypeError("not a note of a plan")
        return note

    def is_from_future(self, now: datetime) -> bool:
        """Return whether the clock was set back since it was written: then it says nothing of what is due by now."""
        return datetime.fromisoformat(self.at) > now

    def settles(self, settings: Settings, sync: str, seen: Mapping[str, Any], now: datetime) -> bool:
        """Return whether planning would bring no news, without a look at what the CRM has acknowledged.

        Reads which runs came after the note's: what became of them has to be compared once.
        """
        if self.seen != seen or self.is_from_future(now):
            return False
        if self.due is not None and datetime.fromisoformat(self.due) <= now:
            return False
        return next(log.runs(settings, sync, self.run), None) is None


def read(settings: Settings, sync: str) -> PlanningNote | None:
    """Return the note of a sync; None where there is none, or none that can be read: it is written anew."""
    try:
        return objects.get_json(settings.ops_bucket, _key(sync), PlanningNote.from_json, "it is written anew")
    except objects.DamagedObjectError as error:
        telemetry.warn(
            "planning note unreadable, it is written anew", sync=sync, key=_key(sync), reason=str(error)
        )
        return None


def write(settings: Settings, sync: str, note: PlanningNote) -> None:
    """Write the note of a sync; losing it costs one more comparison."""
    objects.put(settings.ops_bucket, _key(sync), json.dumps(asdict(note)).encode())


def next_due(state: State, sync: Sync, noted: datetime) -> datetime | None:
    """Return the first moment after `noted` at which a row that was missed goes again; None when none waits."""
    return min((due for due in _due(state.missed, sync) if due > noted), default=None)


def _due(missed: Mapping[str, Missed], sync: Sync) -> list[datetime]:
    return [row.goes_again(sync.retry_failed_after_hours) for row in missed.values()]


def _key(sync: str) -> str:
    return f"{log.ROOT}{sync}/planned.json"
