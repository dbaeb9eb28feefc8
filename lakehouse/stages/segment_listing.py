"""Which segments there are, how large each is now, when that was computed, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.segments import due, refresh, schedule
from lakehouse.segments.read_only import open_lake, wrong_now
from lakehouse.tables import past
from lakehouse.tables.contracts import SEGMENT_MEMBERS

if TYPE_CHECKING:
    from lakehouse.segments.definition import Segment
    from lakehouse.segments.read_only import Lake
    from lakehouse.segments.schedule import Slots
    from lakehouse.settings import Settings


def listed(settings: Settings) -> list[dict[str, Any]]:
    """Return every segment by name, those whose file is wrong, too.

    Of each: name, title, owner, doc, size, at, state, next_at, wrong. `at` is when members were last looked at, `size`
    how many they are since. The state is `current`; `waiting`: the marts or a definition have changed since,
     or its time
    has come; `kept`: it is wrong and keeps its members; `never computed`. `next_at` is the next time of one that has a
    schedule.
    """
    with open_lake(settings) as lake:
        sizes = dict(lake.rows(f"SELECT segment, count(*) FROM {SEGMENT_MEMBERS.name} GROUP BY 1"))
        members = lake.tables.get(SEGMENT_MEMBERS.name)
        snapshot = members.current_snapshot() if members is not None else None
        at = past.made_at(snapshot).isoformat(timespec="seconds") if snapshot else None
        state = _state(lake, settings)
        slots = due.slots_in(members)
        wrong = _wrong(lake, state)
        defined = {segment.name: segment for segment in lake.segments.defined}
        names = sorted({*defined, *wrong})
        return [
            _shown(name, defined.get(name))
            | {
                "size": sizes.get(name, 0) if at else None,
                "at": _at(defined.get(name), slots, at),
                "state": "kept" if name in wrong and at else state,
                "next_at": _next_at(defined.get(name), settings),
                "wrong": wrong.get(name, ""),
            }
            for name in names
        ]


def _shown(name: str, segment: Segment | None) -> dict[str, Any]:
    if segment is None:
        return {"name": name, "title": "", "owner": "", "doc": ""}
    return {
        "name": name,
        "title": segment.title,
        "owner": segment.owner,
        "doc": " ".join(segment.doc.split()),
    }


def _at(segment: Segment | None, slots: Slots, at: str | None) -> str | None:
    """Return when members were looked at: of a segment with times of its own, at the last of these."""
    if segment is None or not segment.has_times or segment.name not in slots:
        return at
    run_at = slots[segment.name].run_at
    return datetime.fromisoformat(run_at).isoformat(timespec="seconds") if run_at else None


def _next_at(segment: Segment | None, settings: Settings) -> str | None:
    if segment is None:
        return None
    following = schedule.next_time(segment, settings.now_or_as_of(datetime.now(UTC)), settings.zone)
    return following.isoformat(timespec="seconds") if following else None


def _state(lake: Lake, settings: Settings) -> str:
    """Return how the members that there are stand to the marts and definitions."""
    members = lake.tables.get(SEGMENT_MEMBERS.name)
    if members is None or members.current_snapshot() is None:
        return "never computed"
    lake.show_tables_of(lake.segments)
    slots, _ = due.slots_now(settings, lake.segments, members, datetime.now(UTC))
    expected = refresh.expected_inputs(lake.tables, lake.segments, slots)
    return "current" if refresh.computed_from(members) == expected else "waiting"


def _wrong(lake: Lake, state: str) -> dict[str, str]:
    """Return what is wrong with segments: as their files stand, and where they stand so since, when they were run."""
    members = lake.tables.get(SEGMENT_MEMBERS.name)
    asked = refresh.wrong_in(members) if members is not None and state == "current" else {}
    return {**asked, **wrong_now(lake.segments)}
