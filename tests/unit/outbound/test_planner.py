"""A plan is made without writing anything: the same changes make the same run and the same chunks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakehouse.outbound.acknowledged import State
from lakehouse.outbound.changes import Change, Changes
from lakehouse.outbound.comparison import Comparison
from lakehouse.outbound.planner import Plan, is_news, make_plan
from lakehouse.outbound.spool import Spool
from tests.unit.outbound.test_changes import SYNC

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INPUTS = {"ops.segment_members": "1", "consent": "g"}


def upserts(count: int) -> list[Change]:
    return [Change("upsert", f"c{n:03d}", f"p{n:03d}@x.org", {"tier": "vip"}) for n in range(count)]


def compared(changes: Changes, left_out_before: dict[str, str] | None = None) -> Comparison:
    """What a comparison finds that comes to these changes."""
    comparison = Comparison(Spool(Path(tempfile.mkdtemp())))
    comparison.add(changes)
    comparison.add_known(State(left_out=left_out_before or {}), NOW)
    for name in ("removals", "upserts", "left-out-now", "left-out-before"):
        comparison.spool.close(name)
    comparison.compare_left_out()
    return comparison


def plan(changes: Changes, chunk_rows: int = 100, number: str = "00000001", now: datetime = NOW) -> Plan:
    return make_plan(SYNC, compared(changes), number, now, INPUTS, chunk_rows)


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
        selected=14,
        upserts=upserts(1),
        unchanged=1,
        unknown=1,
        failed_waiting=["f"],
        withheld_waiting=["w"],
        projection_waiting=["p"],
        no_consent=["z", "k"],
        erased=["e"],
        no_address=["a"],
        suppressed=["s"],
        control=["o"],
        quiet_waiting=["q"],
        cap_waiting=["n"],
        left_out_by={"o": "vip", "z": "consent-9"},
    )
    made = plan(changes)
    run = made.run
    waiting = run.failed_waiting + run.withheld_waiting + run.projection_waiting
    waiting += run.quiet_waiting + run.cap_waiting
    left_out = run.no_consent + run.erased + run.no_address + run.same_address + run.suppressed + run.control
    assert run.selected == run.unchanged + run.to_send + waiting + run.unknown + left_out
    left_out_now = {
        "consent": ["k"],
        "consent:consent-9": ["z"],
        "control:vip": ["o"],
        "suppressed": ["s"],
        "erased": ["e"],
        "no_address": ["a"],
        "same_address": [],
        "no_longer": [],
    }
    assert made.comparison.left_out == left_out_now


def test_the_same_changes_make_the_same_plan_at_any_time():
    """Two planners write the same objects; whatever differs makes another plan."""
    changes = Changes(selected=2, upserts=upserts(2))
    first = plan(changes)
    again = plan(Changes(selected=2, upserts=upserts(2)[::-1]), now=datetime(2027, 1, 1, tzinfo=UTC))
    assert (again.run.plan, list(again.chunks)) == (first.run.plan, list(first.chunks))
    others = [
        plan(Changes(selected=1, upserts=upserts(1))),
        plan(Changes(selected=3, upserts=upserts(2))),
        plan(changes, number="00000002"),
        make_plan(SYNC.model_copy(update={"removed": "-"}), compared(changes), "00000001", NOW, INPUTS, 100),
        make_plan(SYNC, compared(changes), "00000001", NOW, {"consent": "other"}, 100),
    ]
    assert len({first.run.plan, *(other.run.plan for other in others)}) == len(others) + 1


def test_removals_stand_first_and_share_no_chunk_with_upserts():
    """A chunk of upserts that fails holds nobody back who is to be taken off."""
    removals = [Change("remove", f"z{n}", f"z{n}@x.org", {"tier": ""}, str(n)) for n in range(3)]
    made = plan(Changes(selected=3, upserts=upserts(3), removals=removals), chunk_rows=2)
    actions = [[row.action for row in chunk.rows] for chunk in made.chunks]
    assert actions == [["remove"] * 2, ["remove"], ["upsert"] * 2, ["upsert"]]
    assert [row.crm_id for chunk in made.chunks for row in chunk.rows] == ["0", "1", "2", "", "", ""]


def test_a_run_is_made_for_rows_or_for_others_that_are_left_out():
    """Whoever waits or is unchanged is no news, nor who was left out before; after a closed run, all is."""
    quiet = compared(Changes(selected=2, unchanged=2))
    latest = plan(Changes(selected=2, unchanged=2)).run
    assert not is_news(quiet, latest)
    assert not is_news(compared(Changes(selected=2, unchanged=1, failed_waiting=["c"])), latest)
    assert is_news(compared(Changes(selected=2, upserts=upserts(1))), latest)
    left_out = Changes(selected=2, unchanged=1, no_consent=["c"])
    assert is_news(compared(left_out), latest)
    assert not is_news(compared(left_out, {"c": "consent"}), latest)
    assert is_news(compared(left_out, {"c": "no_address"}), latest)
    assert is_news(compared(Changes(selected=2, unchanged=2), {"c": "consent"}), latest)
    assert is_news(quiet, None)
    assert is_news(quiet, replace(latest, selected=3))
    assert is_news(quiet, latest, is_latest_whole=False)


def test_a_run_names_only_who_is_left_out_anew():
    """What is told grows by what changes, and not by everybody each time."""
    before = {"a": "consent", "b": "consent", "c": "no_address"}
    found = compared(Changes(selected=3, no_consent=["a", "d"], no_address=["b"]), before)
    assert found.left_out == {
        "consent": ["d"], "erased": [], "no_address": ["b"], "same_address": [], "no_longer": ["c"]
    }  # fmt: skip


def test_the_planner_loads_no_destination_before_it_plans():
    """What a destination needs (HTTP) is imported when its limit is asked for, and not by whoever imports a planner."""
    code = "import sys, lakehouse.outbound.planner; print('httpx' in sys.modules, 'duckdb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
