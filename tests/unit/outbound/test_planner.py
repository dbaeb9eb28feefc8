"""A plan is made without writing anything: the same changes make the same run and the same chunks."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lakehouse.outbound.acknowledged import Standing, State
from lakehouse.outbound.changes import Change, Changes
from lakehouse.outbound.planner import Plan, is_news, make_plan
from tests.unit.outbound.test_changes import SYNC

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INPUTS = {"ops.segment_members": "1", "consent": "g"}


def upserts(count: int) -> list[Change]:
    return [Change("upsert", f"c{n:03d}", f"p{n:03d}@x.org", {"tier": "vip"}) for n in range(count)]


def plan(changes: Changes, chunk_rows: int = 100, number: str = "00000001", now: datetime = NOW) -> Plan:
    return make_plan(SYNC, changes, number, now, INPUTS, chunk_rows)


@pytest.mark.parametrize(
    ("rows", "chunk_rows", "sizes"),
    [(0, 100, []), (100, 100, [100]), (205, 100, [100, 100, 5]), (3, 1, [1, 1, 1])],
)
def test_rows_are_cut_into_chunks_as_long_as_the_destination_takes(rows, chunk_rows, sizes):
    """Each row once, numbered within its chunk."""
    made = plan(Changes(selected=rows, upserts=upserts(rows)), chunk_rows)
    assert [len(chunk.rows) for chunk in made.chunks] == sizes
    assert made.run.chunks == len(sizes)
    assert [chunk.chunk for chunk in made.chunks] == made.run.chunk_ids()
    assert [row.customer_id for chunk in made.chunks for row in chunk.rows] == [
        f"c{n:03d}" for n in range(rows)
    ]
    assert all([row.row for row in chunk.rows] == list(range(len(chunk.rows))) for chunk in made.chunks)


def test_a_chunk_says_all_that_a_worker_needs():
    """Where it goes, for what purpose and channel, and what identifies a person there."""
    (chunk,) = plan(Changes(selected=1, upserts=upserts(1))).chunks
    assert (chunk.sync, chunk.run, chunk.destination, chunk.object) == (
        "news",
        "00000001",
        "hubspot",
        "contacts",
    )
    assert (chunk.id_property, chunk.purpose, chunk.channel) == ("email", "marketing", "email")


def test_a_run_counts_everybody_and_names_whom_it_leaves_out():
    """Its counts add up to all who were selected."""
    changes = Changes(
        selected=10,
        upserts=upserts(1),
        unchanged=1,
        unknown=1,
        failed_waiting=["f"],
        withheld_waiting=["w"],
        projection_waiting=["p"],
        no_consent=["z", "k"],
        erased=["e"],
        no_address=["a"],
    )
    made = plan(changes)
    run = made.run
    waiting = run.failed_waiting + run.withheld_waiting + run.projection_waiting
    left_out = run.no_consent + run.erased + run.no_address + run.same_address
    assert run.selected == run.unchanged + run.to_send + waiting + run.unknown + left_out
    assert made.left_out == {"consent": ["k", "z"], "erased": ["e"], "no_address": ["a"], "same_address": []}


def test_the_same_changes_make_the_same_plan_at_any_time():
    """Two planners write the same objects; whatever differs makes another plan."""
    changes = Changes(selected=2, upserts=upserts(2))
    first = plan(changes)
    again = plan(Changes(selected=2, upserts=upserts(2)[::-1]), now=datetime(2027, 1, 1, tzinfo=UTC))
    assert (again.run.plan, again.chunks) == (first.run.plan, first.chunks)
    others = [
        plan(Changes(selected=1, upserts=upserts(1))),
        plan(Changes(selected=3, upserts=upserts(2))),
        plan(changes, number="00000002"),
        make_plan(SYNC.model_copy(update={"removed": "-"}), changes, "00000001", NOW, INPUTS, 100),
        make_plan(SYNC, changes, "00000001", NOW, {"consent": "other"}, 100),
    ]
    assert len({first.run.plan, *(other.run.plan for other in others)}) == len(others) + 1


def test_a_run_is_made_for_rows_or_for_others_that_are_left_out():
    """Whoever waits or is unchanged is no news."""
    quiet = Changes(selected=2, unchanged=2)
    latest = plan(quiet).run
    standing = Standing(State(), latest, {})
    assert not is_news(quiet, standing)
    assert not is_news(Changes(selected=2, unchanged=1, failed_waiting=["c"]), standing)
    assert is_news(Changes(selected=2, upserts=upserts(1)), standing)
    assert is_news(Changes(selected=2, unchanged=1, no_consent=["c"]), standing)
    assert is_news(quiet, Standing(State(), None, {}))
    assert is_news(quiet, Standing(State(), replace(latest, audience="another"), {}))


def test_the_planner_loads_no_destination_before_it_plans():
    """What a destination needs (HTTP) is imported when its limit is asked for, and not by whoever imports a planner."""
    code = "import sys, lakehouse.outbound.planner; print('httpx' in sys.modules, 'duckdb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
