"""Who was in a segment at a moment is who had entered and not left, whatever the order in which changes stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.segments.definition import Segments
from lakehouse.segments.history import members_at_sql, runs, steps
from lakehouse.segments.read_only import Lake

START = datetime(2026, 3, 1, tzinfo=UTC)
STATES = st.lists(st.sets(st.sampled_from("abc")), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(STATES, st.randoms(use_true_random=False))
def test_members_of_any_moment_are_those_of_the_last_run(states, chance):
    """A run an hour: from its changes alone each state is there again, and so are sizes and a customer's steps."""
    rows = []
    before: set[str] = set()
    for hour, state in enumerate(states):
        for customer in state ^ before:
            change = "entered" if customer in state else "left"
            rows.append(("s", customer, change, START + timedelta(hours=hour), f"run{hour}", START.date()))
            rows.append(("t", customer, change, START + timedelta(hours=hour), f"run{hour}", START.date()))
        before = state
    chance.shuffle(rows)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA ops")
        con.execute(
            "CREATE TABLE ops.segment_changes (segment VARCHAR, customer_id VARCHAR, change VARCHAR, "
            "found_at TIMESTAMPTZ, run VARCHAR, as_of DATE)"
        )
        for row in rows:
            con.execute("INSERT INTO ops.segment_changes VALUES (?, ?, ?, ?, ?, ?)", row)
        lake = Lake(con, {}, Segments(()))
        for hour, state in enumerate(states):
            for minutes in (0, 59):
                at = START + timedelta(hours=hour, minutes=minutes)
                found = con.execute(members_at_sql(at)).fetchall()
                assert sorted(found) == sorted((segment, customer) for segment in "st" for customer in state)
        assert con.execute(members_at_sql(START - timedelta(seconds=1))).fetchall() == []
        changed = [
            hour for hour, state in enumerate(states) if state != (states[hour - 1] if hour else set())
        ]
        assert [(run.run, run.size) for run in runs(lake, "s")] == [
            (f"run{h}", len(states[h])) for h in changed
        ]
        taken = [step.change for step in steps(lake, "s", "a")]
        assert taken == ["entered", "left"] * (len(taken) // 2) + ["entered"] * (len(taken) % 2)
        assert len(taken) == sum(row[:2] == ("s", "a") for row in rows)
