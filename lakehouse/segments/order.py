"""In which order segments are evaluated that include or exclude others. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.definitions import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lakehouse.segments.definition import Segment


def evaluation_order(
    segments: Sequence[Segment], unreadable: Collection[str] = ()
) -> tuple[list[Segment], dict[str, str]]:
    """Return the segments, each after those that it names, and by name what is wrong with those that cannot stand.

    Wrong is one that names a segment that there is not, or itself, be it by way of others. One that is wrong or
    `unreadable` keeps its members, so that others may name it all the same.
    """
    by_name = {segment.name: segment for segment in segments}
    known = sorted({*by_name, *unreadable})
    wrong: dict[str, str] = {}
    for segment in segments:
        for name in segment.names:
            if name not in known:
                wrong[segment.name] = f"there is no segment {name}{nearest(name, known)}"
    ordered: dict[str, Segment] = {}
    waiting = {name: segment for name, segment in by_name.items() if name not in wrong}
    while waiting:
        ready = [s for s in waiting.values() if not any(name in waiting for name in s.names)]
        circles = {} if ready else {name: _circle(name, waiting) for name in sorted(waiting)}
        for segment in ready:
            ordered[segment.name] = waiting.pop(segment.name)
        for name, circle in circles.items():
            if circle:
                wrong[name] = f"it names itself: {' → '.join(circle)}"
                waiting.pop(name)
    return list(ordered.values()), wrong


def _circle(name: str, waiting: dict[str, Segment]) -> list[str]:
    """Return the way from a segment back to itself; empty where there is none."""
    paths = [[name]]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        for following in waiting[path[-1]].names if path[-1] in waiting else ():
            if following == name:
                return [*path, name]
            if following not in seen:
                seen.add(following)
                paths.append([*path, following])
    return []
