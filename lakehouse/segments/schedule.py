"""When a segment is computed: with each change of what it asks, or at times of its own, each of them once. Pure.

The last time that a segment was computed for stands with the members that it gave, in one commit: so no time is
computed for twice, and of several that were missed there is one run, afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, model_validator

from lakehouse.definitions import FieldsError
from lakehouse.segments.cron import Cron, read_cron, read_every

if TYPE_CHECKING:
    from lakehouse.segments.definition import Segment, Segments


class Schedule(BaseModel):
    """Times at which a segment is computed, by the clock of the business: as `cron`, or `every` so often."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cron: str | None = None
    every: str | None = None

    @property
    def times(self) -> Cron:
        """Return the times."""
        return read_every(self.every) if self.every is not None else read_cron(self.cron or "")

    @property
    def text(self) -> str:
        """Return it as people read it."""
        return f"every {self.every}" if self.every is not None else f"cron {self.cron}"

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if (self.cron is None) == (self.every is None):
            raise ValueError("say one of `cron` and `every`")
        try:
            self.times  # noqa: B018 - read to see that it can be
        except ValueError as error:
            raise FieldsError((("every" if self.every is not None else "cron",), str(error))) from None
        return self


@dataclass(frozen=True)
class Slot:
    """What a segment was computed for last: by which schedule or trigger, and for which time or rows of the rule.

    `run_at` is when (ISO 8601; "" before it was the first time). `failed` is the version of its definition where that
    could not be asked then: once it is another, the same slot is due again.
    """

    when: str
    slot: str
    run_at: str = ""
    failed: str = ""


Slots = dict[str, Slot]  # by segment


@dataclass(frozen=True)
class Clock:
    """The moment that is asked about, the zone of the business, and by trigger's rule when it had news last."""

    now: datetime
    zone: tzinfo
    fired: Mapping[str, str] = field(default_factory=dict)


def next_slots(
    segments: Segments, noted: Mapping[str, Slot], clock: Clock, run_at: datetime
) -> tuple[Slots, list[str]]:
    """Return the slots of all segments that have times of their own, and which of these are due.

    `noted` are those of the last run, `run_at` is when this one is. A segment that is seen for the first time, or by
    another schedule than before, waits for the time that comes next; one whose file is wrong is due once it is mended.
    """
    slots: Slots = {name: slot for name, slot in noted.items() if name in segments.wrong}
    due: list[str] = []
    for segment in segments.defined:
        when, slot = _current(segment, clock)
        if not when:
            continue
        before = noted.get(segment.name)
        if before is None or before.when != when:
            slots[segment.name] = Slot(when, slot, before.run_at if before else "")
        elif slot > before.slot or (before.failed and before.failed != segment.version):
            slots[segment.name] = Slot(
                when, max(slot, before.slot), run_at.isoformat(timespec="microseconds")
            )
            due.append(segment.name)
        else:  # also where the clock was set back
            slots[segment.name] = before
    return slots, due


def next_time(segment: Segment, now: datetime, zone: tzinfo) -> datetime | None:
    """Return when a segment is due next by its schedule; None for one that has none."""
    return segment.schedule.times.following(now, zone) if segment.schedule is not None else None


def as_json(slots: Slots) -> dict[str, dict[str, str]]:
    """Return slots as they are noted."""
    return {name: asdict(slots[name]) for name in sorted(slots)}


def from_json(noted: Mapping[str, Mapping[str, str]]) -> Slots:
    """Return slots as they were noted."""
    return {name: Slot(**slot) for name, slot in noted.items()}


def failed(slots: Slots, segments: Segments, names: Iterable[str]) -> Slots:
    """Return slots with those noted as failed whose segments were due and could not be asked."""
    by_name = {segment.name: segment for segment in segments.defined}
    return slots | {
        name: replace(slots[name], failed=by_name[name].version) for name in names if name in by_name
    }


def _current(segment: Segment, clock: Clock) -> tuple[str, str]:
    """Return by what a segment is computed, and for what it would be now; "" for one that is computed with changes."""
    if segment.schedule is not None:
        latest = segment.schedule.times.latest(clock.now, clock.zone)
        return f"{segment.schedule.text} {clock.zone}", latest.isoformat() if latest else ""
    if segment.trigger:
        return f"trigger {segment.trigger}", clock.fired.get(segment.trigger, "")
    return "", ""
