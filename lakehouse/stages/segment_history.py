"""What was: the runs of a segment, and who was in it when, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from lakehouse.definitions import nearest
from lakehouse.errors import Terminal
from lakehouse.segments import history
from lakehouse.segments.history import Moment, Run, Step
from lakehouse.segments.read_only import open_lake
from lakehouse.stages.explain_row import end_of_day
from lakehouse.tables.contracts import SEGMENT_CHANGES

if TYPE_CHECKING:
    from lakehouse.segments.read_only import Lake
    from lakehouse.segments.trace import Trace
    from lakehouse.settings import Settings


@dataclass(frozen=True)
class CustomerThen:
    """A customer and a segment at a moment: whether it was in, since when, by which run, and what it came to then.

    `trace` is None, and `notes` say why, where that is not known any more.
    """

    segment: str
    customer: str
    at: datetime
    is_in: bool
    since: datetime | None
    run: str
    run_at: str
    where: str
    trace: Trace | None
    notes: tuple[str, ...]


def runs(settings: Settings, name: str) -> list[Run]:
    """Return the runs that changed a segment, the oldest first; `Terminal` for one that never was."""
    with open_lake(settings) as lake:
        check_name(lake, name)
        return history.runs(lake, name)


def steps(settings: Settings, name: str, customer: str) -> list[Step]:
    """Return when a customer entered a segment and left it; `Terminal` for a segment that never was."""
    with open_lake(settings) as lake:
        check_name(lake, name)
        return history.steps(lake, name, customer)


def at_moment(settings: Settings, name: str, at: datetime, most: int) -> Moment:
    """Return who was in a segment at a moment, `most` of them by name; `Terminal` for one that never was."""
    with open_lake(settings) as lake:
        check_name(lake, name)
        return history.moment(lake, settings, name, at, most)


def customer_at(settings: Settings, name: str, customer: str, at: datetime) -> CustomerThen:
    """Return whether a customer was in a segment at a moment, and why; `Terminal` for a segment that never was."""
    with open_lake(settings) as lake:
        check_name(lake, name)
        taken = [step for step in history.steps(lake, name, customer) if step.at <= at]
        is_in = bool(taken) and taken[-1].change == "entered"
        then = history.moment(lake, settings, name, at, 0)
        trace, notes = history.trace_at(lake, settings, name, customer, at)
    since = taken[-1].at if is_in else None
    return CustomerThen(name, customer, at, is_in, since, then.run, then.run_at, then.where, trace, notes)


def moment_of(text: str, settings: Settings) -> datetime:
    """Return the moment that `--at` names: the end of a day of the business, or a time of it such as 2026-05-03T10:00.

    Raises `Terminal` for what is neither.
    """
    try:
        return end_of_day(date.fromisoformat(text), settings)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Terminal(f"--at {text}: say a day as 2026-05-03, or a time as 2026-05-03T10:00") from None
    zone = UTC if settings.time_zone == "UTC" else ZoneInfo(settings.time_zone)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def check_name(lake: Lake, name: str) -> None:
    """Raise `Terminal` for a segment that is not defined and never was."""
    changed = {each for (each,) in lake.rows(f"SELECT DISTINCT segment FROM {SEGMENT_CHANGES.name}")}
    known = {*changed, *(segment.name for segment in lake.segments.defined), *lake.segments.wrong}
    if name not in known:
        raise Terminal(f"there is no segment {name}, and never was{nearest(name, sorted(known))}")
