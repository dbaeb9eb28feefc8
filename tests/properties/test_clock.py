"""A clock that anybody sets at any time: commits go on, schedules run in time, and no claim is held for long."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hypothesis import example, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from lakehouse.local.policy import SchedulePolicy
from lakehouse.local.runtime.sandbox import Invoker
from lakehouse.local.runtime.schedules import Scheduler
from lakehouse.local.wiring.resources import Schedule
from lakehouse.outbound.log import Claim
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.settings import Settings
from lakehouse.steady_clock import UNKNOWN, SteadyTime
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.contract import Column
from lakehouse.tables.maintenance.expire import expire
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.replace_files import replace_manifests
from lakehouse.tables.replace_table import replace_all
from tests.support.clocks import refusals, settable_clock
from tests.support.lakes import a_contract, a_record

HOUR, DAY, YEAR = 3_600.0, 86_400.0, 31_536_000.0
STEPS = st.one_of(
    st.sampled_from([0.0, -0.5, -61.0, -HOUR, HOUR, -DAY, DAY, -20 * YEAR, 20 * YEAR]), st.floats(-YEAR, YEAR)
)
CHANGES = ("append", "replace", "manifests", "column", "expire")
KEEP_ONE = MaintenancePolicy(min_snapshots_to_keep=1, max_snapshot_age=dt.timedelta(0))


class Lake:
    """One table in a lake of its own, and all that changes one."""

    def __init__(self, folder: Path) -> None:
        (folder / "warehouse").mkdir()
        self.settings = Settings.model_validate(
            {
                "catalog": "sql",
                "catalog_uri": f"sqlite:///{folder}/catalog.sqlite",
                "warehouse": f"file://{folder}/warehouse",
                "scratch": folder,
            }
        )
        self.catalog = open_catalog.__wrapped__(self.settings)
        self.contract = a_contract()
        self.table = ensure(self.catalog, self.contract)
        self.files = 0

    def change(self, name: str) -> None:
        table = self.catalog.load_table(self.contract.name)
        if name == "append":
            self.files += 1
            append(table, [], records=[a_record(f"f{self.files}", 0)])
        elif name == "replace":
            head = table.current_snapshot()
            replace_all(table, [], computed_from={}, base=head.snapshot_id if head else None)
        elif name == "manifests" and table.current_snapshot() is not None:
            replace_manifests(table)
        elif name == "column" and table.current_snapshot() is not None:
            column = Column(f"c{len(self.contract.columns)}", "string", "C")
            self.contract = replace(self.contract, columns=(*self.contract.columns, column))
            ensure(self.catalog, self.contract)
        elif name == "expire":
            expire(self.catalog, table, KEEP_ONE, now=dt.datetime.now(dt.UTC) + dt.timedelta(days=365 * 100))


@profile(max_examples=25, deadline=None)
@given(st.lists(st.tuples(STEPS, st.sampled_from(CHANGES)), min_size=1, max_size=7))
@example([(0.0, "append"), (-HOUR, "append"), (0.0, "column"), (0.0, "expire")])
@example([(YEAR, "append"), (-2 * YEAR, "replace"), (0.0, "expire"), (0.0, "column"), (0.0, "manifests")])
def test_commits_go_on_whatever_the_clock_does(steps):
    """Every kind of change, after any steps: it is committed, and readers in other languages still open the table."""
    with tempfile.TemporaryDirectory() as folder, settable_clock() as clock:
        lake = Lake(Path(folder))
        for seconds, change in steps:
            clock.step(seconds)
            lake.change(change)
            metadata = lake.catalog.load_table(lake.contract.name).metadata
            assert refusals(metadata) == []
            in_order = sorted(metadata.snapshots, key=lambda snapshot: snapshot.sequence_number)
            times = [snapshot.timestamp_ms for snapshot in in_order]
            assert all(earlier < later for earlier, later in pairwise(times))


@profile(deadline=None)
@given(
    rate=st.integers(60, 90_000),
    ran_ago=st.none() | st.floats(-YEAR, YEAR),
    steps=st.lists(st.tuples(STEPS, st.floats(0.5, HOUR)), min_size=1, max_size=20),
)
def test_a_schedule_runs_within_its_rate_of_time_that_passed(rate, ran_ago, steps):
    """Whatever the clock says, and whatever the note of its last run: never later than one rate after the last one."""
    passed, runs = 0.0, [0.0]
    with tempfile.TemporaryDirectory() as folder, settable_clock() as clock:
        memory = Path(folder) / "schedules.json"
        if ran_ago is not None:
            memory.write_text(f'{{"s": {clock.now() - ran_ago}}}')
        invoker = Invoker({})
        scheduler = Scheduler(
            [Schedule("s", rate, "f", None, None, "{}")], {}, invoker, memory, clock=lambda: passed
        )
        scheduler._invoke = lambda *_: runs.append(passed)  # type: ignore[method-assign]
        scheduler._set_first_runs()
        longest = 0.0
        for seconds, elapsed in steps:
            clock.step(seconds)
            passed += elapsed
            longest = max(longest, elapsed)
            scheduler._run_due()
        runs.append(passed)
    assert all(later - earlier <= rate + longest for earlier, later in pairwise(runs))
    if rate >= SchedulePolicy.at_start_below_seconds and ran_ago is None:
        assert all(later - earlier >= rate for earlier, later in pairwise(runs[1:-1]))


LEASE = DeliveryPolicy.lease.total_seconds()
MADE = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def longest_wait(claim: Claim, steps: list[tuple[float, float]], clock: str) -> float:
    """Seconds after which a worker that looks every five seconds gets the chunk of a dead one.

    `steps` are (seconds after the claim, by how much the wall clock is set then); `clock` is the looker's steady clock.
    """
    waited = 0.0
    while True:
        ahead = sum(step for at, step in steps if waited >= at)
        steady = SteadyTime(clock, 1_000 + waited) if clock else UNKNOWN
        if not claim.lives(MADE + dt.timedelta(seconds=waited + ahead), steady):
            return waited
        waited += 5
        assert waited < 1_000


def a_claim(clock: str) -> Claim:
    return Claim("t", 1, MADE.isoformat(), (MADE + DeliveryPolicy.lease).isoformat(), clock, 1_000)


@given(steps=st.lists(st.tuples(st.floats(0, 400), STEPS), max_size=4))
@example(steps=[(149.0, -149.0)])
@example(steps=[(10.0, -DAY)])
@example(steps=[(10.0, DAY)])
@example(steps=[(100.0, -100.0), (200.0, -100.0), (300.0, -100.0)])
def test_a_claim_lasts_for_its_lease_whatever_the_clock_does(steps):
    """A worker claims and dies, the clock is set any number of times; on the same machine it neither lasts nor ends."""
    assert longest_wait(a_claim("machine"), steps, "machine") == LEASE


@given(
    stepped_at=st.floats(0, 400),
    step=STEPS,
    clocks=st.sampled_from([("", ""), ("a", "b"), ("a", ""), ("", "a")]),
)
@example(stepped_at=149.0, step=-149.0, clocks=("", ""))
@example(stepped_at=10.0, step=-DAY, clocks=("a", "b"))
def test_by_wall_clocks_alone_a_claim_lasts_for_twice_its_lease_at_most(stepped_at, step, clocks):
    """Two machines share no other clock: set back within the lease it makes the lease begin anew."""
    waited = longest_wait(a_claim(clocks[0]), [(stepped_at, step)], clocks[1])
    assert waited <= 2 * LEASE + DeliveryPolicy.clock_difference.total_seconds() + 5
