"""What each run asked, of which snapshots: noted for good, since snapshots expire and definitions change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lakehouse import objects
from lakehouse.segments.definition import Segment

if TYPE_CHECKING:
    from lakehouse.settings import Settings

PREFIX: Final = "segments/runs/"
_ADVICE: Final = "delete it: the history of segments then knows the run by its changes alone"


@dataclass(frozen=True)
class RunRecord:
    """One run: when, of which heads and definitions, how many were in each segment, and what was wrong with some.

    `waiting` are segments that have times of their own and were not due, with when they were computed ("": never yet).
    """

    run: str
    at: str  # ISO 8601, UTC
    inputs: Mapping[str, str]
    sizes: Mapping[str, int]
    wrong: Mapping[str, str]
    definitions: Mapping[str, Mapping[str, Any]]
    waiting: Mapping[str, str] = field(default_factory=dict)

    def segment(self, name: str) -> Segment | None:
        """Return a definition as it was; None where there was none. Fields that are no more are left out."""
        noted = self.definitions.get(name)
        if noted is None:
            return None
        return Segment.model_validate(
            {field: noted[field] for field in Segment.model_fields if field in noted}
        )


def write(settings: Settings, record: RunRecord) -> None:
    """Note a run. It is written before its changes: one that dies in between is followed by another of its like."""
    at = datetime.fromisoformat(record.at)
    key = f"{PREFIX}{at:%Y-%m-%d}/{at:%H%M%S.%f}-{record.run}.json"
    objects.put(settings.ops_bucket, key, json.dumps(asdict(record), ensure_ascii=False).encode())


def latest(settings: Settings, moment: datetime) -> RunRecord | None:
    """Return the last run that was noted up to a moment; None where none was."""
    at = moment.astimezone(UTC)
    days = [day for day in objects.list_folders(settings.ops_bucket, PREFIX) if day <= f"{at:%Y-%m-%d}"]
    for day in reversed(days):
        keys = [
            key
            for key in objects.list_keys(settings.ops_bucket, f"{PREFIX}{day}/")
            if f"{day} {key.partition('-')[0]}" <= f"{at:%Y-%m-%d %H%M%S.%f}"
        ]
        if keys:
            return _read(settings, f"{PREFIX}{day}/{keys[-1]}")
    return None


def last_computed(settings: Settings, names: Iterable[str], moment: datetime) -> dict[str, str]:
    """Return by segment when a run computed it last, up to a moment ("": none that was noted)."""
    record = latest(settings, moment)
    if record is None:
        return dict.fromkeys(names, "")
    return {name: record.waiting.get(name, record.at) for name in names}


def _read(settings: Settings, key: str) -> RunRecord | None:
    return objects.get_json(settings.ops_bucket, key, lambda content: RunRecord(**content), _ADVICE)
