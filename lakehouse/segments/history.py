"""Who was in a segment when, and why: from the changes, which stay, and from snapshots as long as they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse.engine.escape import literal
from lakehouse.segments import run_record
from lakehouse.segments.differences import marts_of, put_in_place
from lakehouse.segments.question import text_of
from lakehouse.segments.trace import Trace, trace
from lakehouse.tables import commit, past
from lakehouse.tables.contracts import SEGMENT_CHANGES, SEGMENT_MEMBERS

if TYPE_CHECKING:
    from datetime import date

    from lakehouse.segments.definition import Segment
    from lakehouse.segments.read_only import Lake
    from lakehouse.segments.run_record import RunRecord
    from lakehouse.settings import Settings


@dataclass(frozen=True)
class Run:
    """A run that changed a segment: when it was, how many entered and left, and how many were in it afterwards."""

    run: str
    at: datetime
    as_of: date
    entered: int
    left: int
    size: int


@dataclass(frozen=True)
class Step:
    """A customer entered a segment, or left it."""

    change: str
    at: datetime
    as_of: date
    run: str


@dataclass(frozen=True)
class Moment:
    """A segment at a moment: how many were in it, some of them, and the definition by which they were.

    `run` names the last run up to then, and `run_at` its time; both are empty where none was noted. `notes` say what is
    not known any more.
    """

    at: datetime
    run: str
    run_at: str
    size: int
    customers: tuple[str, ...]
    where: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Then:
    """What ran last up to a moment, and what is known of it."""

    run: str
    run_at: str
    segment: Segment | None
    heads: Mapping[str, str]
    notes: tuple[str, ...]


def runs(lake: Lake, name: str) -> list[Run]:
    """Return the runs that changed a segment, the oldest first; one that changed nothing is none."""
    rows = lake.rows(
        f"""SELECT run, found, as_of, entered, gone, sum(entered - gone) OVER (ORDER BY found, run) FROM (
            SELECT run, max(found_at) AS found, max(as_of) AS as_of,
                count(*) FILTER (change = 'entered') AS entered, count(*) FILTER (change = 'left') AS gone
            FROM {SEGMENT_CHANGES.name} WHERE segment = ? GROUP BY run
        ) ORDER BY found, run""",
        [name],
    )
    return [Run(run, at, as_of, int(came), int(went), int(size)) for run, at, as_of, came, went, size in rows]


def steps(lake: Lake, name: str, customer: str) -> list[Step]:
    """Return when a customer entered a segment and left it, the oldest first."""
    rows = lake.rows(
        f"SELECT change, found_at, as_of, run FROM {SEGMENT_CHANGES.name} "
        "WHERE segment = ? AND customer_id = ? ORDER BY found_at, change",
        [name, customer],
    )
    return [Step(*row) for row in rows]


def members_at_sql(moment: datetime) -> str:
    """Return the SELECT of (segment, customer_id) of who was in segments at a moment: entered more often than left.

    Changes are kept for good, so that it says so of any moment since the first run.
    """
    at = literal(moment.isoformat())
    return f"""
        SELECT segment, customer_id FROM {SEGMENT_CHANGES.name} WHERE found_at <= CAST({at} AS TIMESTAMPTZ)
        GROUP BY ALL HAVING sum(CASE change WHEN 'entered' THEN 1 ELSE -1 END) > 0"""


def moment(lake: Lake, settings: Settings, name: str, at: datetime, most: int) -> Moment:
    """Return who was in a segment at a moment, `most` of them by name, and by which definition."""
    then = _then(lake, settings, name, at)
    in_it = f"SELECT customer_id FROM ({members_at_sql(at)}) WHERE segment = {literal(name)}"
    ((size,),) = lake.rows(f"SELECT count(*) FROM ({in_it})")
    some = lake.rows(f"{in_it} ORDER BY 1 LIMIT {most:d}")
    segment = then.segment
    return Moment(
        at,
        then.run,
        then.run_at,
        int(size),
        tuple(customer for (customer,) in some),
        text_of(segment) if segment else "",
        segment.include if segment else (),
        segment.exclude if segment else (),
        then.notes,
    )


def trace_at(
    lake: Lake, settings: Settings, name: str, customer: str, at: datetime
) -> tuple[Trace | None, tuple[str, ...]]:
    """Return what a definition came to for a customer at a moment, and what is not known any more.

    It is None where the marts that were asked then have expired, or nobody knows what was asked.
    """
    then = _then(lake, settings, name, at)
    if then.segment is None:
        return None, then.notes
    silent, scans = marts_of(lake, dict(then.heads), [then.segment])
    if silent:
        return None, (*then.notes, f"its values of then are not kept any more: {silent}")
    put_in_place(lake, scans)
    lake.con.execute(f"CREATE OR REPLACE TEMP TABLE fulfilling AS {members_at_sql(at)}")
    return trace(lake.con, then.segment, customer), then.notes


def _then(lake: Lake, settings: Settings, name: str, at: datetime) -> _Then:
    """Return the last run up to a moment: as it was noted, else what the snapshot of the members says of it."""
    record = run_record.latest(settings, at)
    if record is not None:
        return _noted(settings, record, name)
    members = lake.tables.get(SEGMENT_MEMBERS.name)
    snapshot = past.snapshot_at(members, at) if members is not None else None
    today = {segment.name: segment for segment in lake.segments.defined}.get(name)
    heads: Mapping[str, Any] = commit.inputs_of(snapshot) if snapshot is not None else {}
    if not heads:
        return _Then(
            "", "", None, {}, ("no run up to then is known: none was noted, and no snapshot is kept",)
        )
    made_at = past.made_at(snapshot).isoformat() if snapshot is not None else ""
    note = "the definition of then was not noted: this is the one of today"
    return _Then("", made_at, today, heads, (note,))


def _noted(settings: Settings, record: RunRecord, name: str) -> _Then:
    """Return what a run noted of a segment; of one that waited for its time, what the run did that asked it."""
    if name in record.waiting:
        computed_at = record.waiting[name]
        if not computed_at:
            never = "its first time had not come then: nobody was in it"
            return _Then(record.run, record.at, None, {}, (never,))
        record = run_record.latest(settings, datetime.fromisoformat(computed_at)) or record
    notes = []
    if name in record.wrong:
        notes.append(f"its definition was wrong then, and it kept its members: {record.wrong[name]}")
    elif name not in record.definitions:
        notes.append("there was no such segment then")
    return _Then(record.run, record.at, record.segment(name), record.inputs, tuple(notes))
