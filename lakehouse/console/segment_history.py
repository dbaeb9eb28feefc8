"""What was in a segment, for people in a terminal: its runs, a customer's steps, a moment, and why then."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, TypeVar

from lakehouse.console.segments import say, show_lines
from lakehouse.console.terminal import grid, out
from lakehouse.segments.history import Moment, Run, Step
from lakehouse.stages.segment_history import CustomerThen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lakehouse.segments.trace import Trace

P = TypeVar("P", Run, Step)


def show_history(
    name: str, customer: str | None, past: Sequence[Run | Step | Moment | CustomerThen], most: int
) -> None:
    """Print what is known of a segment's past: the last `most` of its runs or steps, or one moment."""
    for each in past:
        if isinstance(each, Moment):
            _show_moment(name, each)
        elif isinstance(each, CustomerThen):
            _show_customer_then(each)
    _show_runs(name, [each for each in past if isinstance(each, Run)], most)
    _show_steps(f"{customer} and {name}", [each for each in past if isinstance(each, Step)], most)
    if not past:
        say(f"{customer} was never in {name}" if customer else f"no run has changed {name} yet")


def _show_runs(name: str, runs: list[Run], most: int) -> None:
    if not runs:
        return
    rows = [
        (_minute(run.at), str(run.as_of), run.entered, run.left, run.size, run.run)
        for run in _last(runs, most)
    ]
    columns = ("run at (UTC)", "as of", "entered", "left", "in it then", "run")
    out.print(grid(f"Runs that changed {name}", columns, rows, optional=("run",)))


def _show_steps(title: str, steps: list[Step], most: int) -> None:
    if steps:
        rows = [(_minute(step.at), step.change, str(step.as_of)) for step in _last(steps, most)]
        out.print(grid(title, ("at (UTC)", "what", "as of"), rows))


def _last(listed: list[P], most: int) -> list[P]:
    if len(listed) > most:
        say(f"the last {most} of {len(listed)}; --show names more")
    return listed[len(listed) - most :] if most < len(listed) else listed


def _show_moment(name: str, found: Moment) -> None:
    say(f"{found.size:,} customers were in {name} at {_minute(found.at)} UTC{_by(found.run, found.run_at)}")
    if found.where:
        others = [("or in", found.include), ("and not in", found.exclude)]
        joined = "".join(f" {word} {', '.join(names)}" for word, names in others if names)
        say(f"{' '.join(found.where.split())}{joined}")
    for note in found.notes:
        say(note)
    if found.customers:
        say("such as " + ", ".join(found.customers))


def _show_customer_then(found: CustomerThen) -> None:
    standing = f"was in it, since {_minute(found.since)} UTC" if found.since else "was not in it"
    say(
        f"{found.customer} and {found.segment} at {_minute(found.at)} UTC: {standing}{_by(found.run, found.run_at)}"
    )
    if found.trace is not None:
        _show_trace(found.trace)
    elif found.where:
        say(" ".join(found.where.split()))
    for note in found.notes:
        say(note)


def _show_trace(trace: Trace) -> None:
    if trace.wrong:
        say(f"its condition cannot be asked of the marts of then: {trace.wrong}")
    elif trace.as_of is None:
        say("the marts of then have no row of this customer")
    else:
        show_lines(f"By the marts of {trace.as_of}", trace.lines, trace.include, trace.exclude)


def _by(run: str, run_at: str) -> str:
    return f", by run {run} of {run_at[:16].replace('T', ' ')} UTC" if run_at else ""


def _minute(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else ""
