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
    known = sorted({*(segment.name for segment in segments), *unreadable})
    wrong = _unknown_names(segments, known)
    waiting = {segment.name: segment for segment in segments if segment.name not in wrong}
    ordered: list[Segment] = []
    while waiting:
        ready = [segment for segment in waiting.values() if waiting.keys().isdisjoint(segment.names)]
        circles = {} if ready else _circles(waiting)
        ordered += ready
        wrong |= circles
        for name in (*(segment.name for segment in ready), *circles):
            waiting.pop(name)
    return ordered, wrong


def _unknown_names(segments: Sequence[Segment], known: list[str]) -> dict[str, str]:
    return {
        segment.name: f"there is no segment {name}{nearest(name, known)}"
        for segment in segments
        for name in segment.names
        if name not in known
    }


def _circles(waiting: dict[str, Segment]) -> dict[str, str]:
    paths = {name: _circle(name, waiting) for name in sorted(waiting)}
    return {name: f"it names itself: {' → '.join(path)}" for name, path in paths.items() if path}


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
