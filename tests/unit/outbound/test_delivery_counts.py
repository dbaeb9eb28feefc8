"""Everybody selected has one place in the counts, by one word for one reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.outbound.delivery_counts import count_rows
from lakehouse.outbound.records import Outcome, Result, Run

NONE = dict.fromkeys(
    (
        *("unchanged", "to_send", "to_remove", "failed_waiting", "withheld_waiting", "projection_waiting"),
        *("unknown", "no_consent", "no_address", "same_address"),
    ),
    0,
)
PLACES = ("sent", "unchanged", "failed", "unknown", "in_flight")


def run(**counts: int) -> Run:
    """A run of two chunks that selected as many as its counts say."""
    selected = sum(count for name, count in counts.items() if name != "to_remove")
    return Run(
        "news",
        "00000001",
        "a" * 64,
        "2026-03-01T12:00:00+00:00",
        {},
        "d",
        2,
        selected=selected,
        **NONE | counts,
    )


def outcome(*results: tuple[str, str, str]) -> Outcome:
    """What became of rows, each (action, status, code)."""
    rows = [
        Result(row, f"c{row}", action, status, code) for row, (action, status, code) in enumerate(results)
    ]
    return Outcome("news", "00000001", "a-0001", 1, "2026-03-01T12:00:00+00:00", rows)


@pytest.mark.parametrize(
    ("planned", "results", "expected"),
    [
        ({"to_send": 1}, [], {"in_flight": 1}),
        ({"to_send": 1}, [("upsert", "sent", "")], {"sent": 1}),
        ({"to_send": 1}, [("upsert", "failed", "X")], {"failed": 1}),
        ({"to_send": 1}, [("upsert", "unknown", "NO_OUTCOME")], {"unknown": 1}),
        ({"to_send": 1}, [("upsert", "withheld", "consent")], {"withheld.consent": 1}),
        ({"to_send": 1}, [("upsert", "withheld", "projection")], {"withheld.projection": 1}),
        ({"to_send": 1}, [("upsert", "withheld", "erased")], {"withheld.erased": 1}),
        ({"erased": 1}, [], {"withheld.erased": 1}),
        ({"unchanged": 1}, [], {"unchanged": 1}),
        ({"unknown": 1}, [], {"unknown": 1}),
        ({"failed_waiting": 1}, [], {"failed": 1}),
        ({"withheld_waiting": 1}, [], {"withheld.consent": 1}),
        ({"projection_waiting": 1}, [], {"withheld.projection": 1}),
        ({"no_consent": 1}, [], {"withheld.consent": 1}),
        ({"no_address": 1}, [], {"withheld.no_address": 1}),
        ({"same_address": 1}, [], {"withheld.suppressed": 1}),
        ({"suppressed": 1}, [], {"withheld.suppressed": 1}),
        ({"control": 1}, [], {"withheld.control": 1}),
        ({"cap_waiting": 1}, [], {"withheld.cap": 1}),
        ({"quiet_waiting": 1}, [], {"withheld.quiet_hours": 1}),
        ({"to_send": 1}, [("upsert", "withheld", "cap")], {"withheld.cap": 1}),
        ({"to_send": 1}, [("upsert", "withheld", "quiet_hours")], {"withheld.quiet_hours": 1}),
        (
            {"to_remove": 2},
            [("remove", "removed", ""), ("remove", "failed", "X")],
            {"removed": 1, "to_remove": 1},
        ),
    ],
)
def test_each_reason_has_a_count_of_its_own(planned, results, expected):
    """And everything adds up to who was selected."""
    counts = count_rows(run(**planned), [outcome(*results), None])
    flat = {name: counts[name] for name in (*PLACES, "removed", "to_remove")}
    flat |= {f"withheld.{reason}": count for reason, count in counts["withheld"].items()}
    assert {name: count for name, count in flat.items() if count} == expected
    assert counts["balanced"] is True


def test_a_run_that_lost_somebody_does_not_balance():
    """More selected than there are places for."""
    broken = Run("news", "00000001", "a" * 64, "t", {}, "d", 0, selected=2, **NONE | {"unchanged": 1})
    assert count_rows(broken, [])["balanced"] is False


def test_a_run_of_an_older_release_is_read():
    """It does not count those who wait for the projection apart."""
    old = run(withheld_waiting=1).to_json()
    del old["projection_waiting"]
    assert count_rows(Run(**old), [])["withheld"]["consent"] == 1


def test_it_is_said_until_when_rows_are_withheld():
    """The first and the last moment by reason, of rows that waited and of those that wait since."""
    planned = replace(
        run(to_send=2, cap_waiting=1),
        until={"cap": ["2026-03-05T00:00:00+00:00", "2026-03-06T00:00:00+00:00"]},
    )
    results = [
        Result(n, f"c{n}", "upsert", "withheld", code, until=until)
        for n, (code, until) in enumerate(
            [("cap", "2026-03-08T00:00:00+00:00"), ("quiet_hours", "2026-03-02T08:00:00+00:00")]
        )
    ]
    counts = count_rows(planned, [Outcome("news", "00000001", "a-0001", 1, "t", results)])
    assert counts["withheld_until"] == {
        "cap": ["2026-03-05T00:00:00+00:00", "2026-03-08T00:00:00+00:00"],
        "quiet_hours": ["2026-03-02T08:00:00+00:00", "2026-03-02T08:00:00+00:00"],
    }
    assert counts["balanced"]
