"""Which segments there are, how large each is now, when that was computed, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.segments import refresh
from lakehouse.segments.read_only import open_lake, wrong_now
from lakehouse.tables import past
from lakehouse.tables.contracts import SEGMENT_MEMBERS

if TYPE_CHECKING:
    from lakehouse.segments.definition import Segment
    from lakehouse.segments.read_only import Lake
    from lakehouse.settings import Settings


def listed(settings: Settings) -> list[dict[str, Any]]:
    """Return every segment by name, those whose file is wrong, too: name, title, owner, doc, size, at, state, wrong.

    `at` is when members were last looked at, `size` how many they are since. The state is `current`; `waiting`: the
    marts or a definition have changed since; `kept`: it is wrong and keeps its members; `never computed`.
    """
    with open_lake(settings) as lake:
        sizes = dict(lake.rows(f"SELECT segment, count(*) FROM {SEGMENT_MEMBERS.name} GROUP BY 1"))
        members = lake.tables.get(SEGMENT_MEMBERS.name)
        snapshot = members.current_snapshot() if members is not None else None
        at = past.made_at(snapshot).isoformat(timespec="seconds") if snapshot else None
        state = _state(lake)
        wrong = _wrong(lake, state)
        defined = {segment.name: segment for segment in lake.segments.defined}
        names = sorted({*defined, *wrong})
        return [
            _shown(name, defined.get(name))
            | {
                "size": sizes.get(name, 0) if at else None,
                "at": at,
                "state": "kept" if name in wrong and at else state,
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


def _state(lake: Lake) -> str:
    """Return how the members that there are stand to the marts and definitions."""
    members = lake.tables.get(SEGMENT_MEMBERS.name)
    if members is None or members.current_snapshot() is None:
        return "never computed"
    expected = refresh.expected_inputs(lake.tables, lake.segments)
    return "current" if refresh.computed_from(members) == expected else "waiting"


def _wrong(lake: Lake, state: str) -> dict[str, str]:
    """Return what is wrong with segments: as their files stand, and where they stand so since, when they were run."""
    members = lake.tables.get(SEGMENT_MEMBERS.name)
    asked = refresh.wrong_in(members) if members is not None and state == "current" else {}
    return {**asked, **wrong_now(lake.segments)}
