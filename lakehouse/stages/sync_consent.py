"""What a sync asks consent for: its own purpose and channel, or those of the segments that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lakehouse.outbound.definition import load_syncs
from lakehouse.outbound.record_kinds import NO_PURPOSE
from lakehouse.segments import definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lakehouse.outbound.definition import Sync
    from lakehouse.segments.definition import Segment, Segments

Field = Literal["purpose", "channel"]


def with_consent(sync: Sync, segments: Segments) -> tuple[Sync, str]:
    """Return a sync with the purpose and channel that it asks for, and what is wrong with them ("": nothing).

    What it says itself must be what its segments say, where they do. What it does not say its segments must, all the
    same. Segments of `suppress` have no say: nobody of theirs is written to. Of a sync that keeps records and contacts
    nobody (purpose `none`) they need not agree.
    """
    if sync.purpose == NO_PURPOSE:
        return sync, ""
    by_name = {segment.name: segment for segment in segments.defined}
    inherited: dict[str, str] = {}
    fields: tuple[Field, ...] = ("purpose", "channel")
    for field in fields:
        value, problem = _value(sync, field, by_name)
        if problem:
            return sync, f"{field}: {problem}"
        inherited[field] = value
    return sync.model_copy(update=inherited), ""


def asking_syncs(folder: Path | None) -> list[Sync]:
    """Return the syncs of which it is known what they ask consent for, by name."""
    segments = definition.load(folder)
    found = (with_consent(sync, segments) for _, sync in sorted(load_syncs(folder).items()))
    return [sync for sync, problem in found if not problem]


def _value(sync: Sync, field: Field, by_name: Mapping[str, Segment]) -> tuple[str, str]:
    own = getattr(sync, field)
    said = _said(sync, field, by_name)
    others = [(name, value) for name, value in said if value != (own or said[0][1])]
    if own and others:
        return "", f"it says {own}, and its segment {others[0][0]} says {others[0][1]}; they must agree"
    if own:
        return own, ""
    if not said:
        return "", f"neither it nor one of its segments says a {field}; say it in one of them"
    if others:
        first, second = said[0], others[0]
        return (
            "",
            f"its segment {first[0]} says {first[1]}, and {second[0]} says {second[1]}; make it two syncs",
        )
    return said[0][1], ""


def _said(sync: Sync, field: Field, by_name: Mapping[str, Segment]) -> list[tuple[str, str]]:
    named: Iterable[Segment] = (by_name[name] for name in sync.segments if name in by_name)
    values = ((segment.name, getattr(segment, field)) for segment in named)
    return [(name, value) for name, value in values if value]
