"""What the CRM holds is the fold of all outcomes, row by row."""

from __future__ import annotations

import pytest

from lakehouse.outbound.acknowledged import Acknowledged, Missed, Standing, State
from lakehouse.outbound.records import Chunk, Outcome, Result, Row, Run

AT = "2026-03-01T12:00:00+00:00"
VIP, NOTHING = {"tier": "vip"}, {"tier": ""}


def fold(state: State, action: str, status: str, code: str = "", crm_id: str = "") -> State:
    """Fold one row of one chunk into a state."""
    row = Row(0, "c1", "a@x.org", action, VIP if action == "upsert" else NOTHING)
    chunk = Chunk("news", "1", "x", "hubspot", "contacts", "email", "marketing", "email", [row])
    state.fold(chunk, Outcome("news", "1", "x", 1, AT, [Result(0, "c1", action, status, code, crm_id)]))
    return state


def known() -> State:
    """A state that knows the person, and that an earlier row of hers failed."""
    return State(
        acknowledged={"a@x.org": Acknowledged("c1", {"tier": "old"}, "7")},
        missed={"a@x.org": Missed("upsert", "failed", "X", AT, VIP)},
    )


@pytest.mark.parametrize(
    ("action", "status", "acknowledged", "missed"),
    [
        ("upsert", "sent", Acknowledged("c1", VIP, "9"), None),
        ("upsert", "unknown", Acknowledged("c1", VIP, unknown=True), None),
        (
            "upsert",
            "failed",
            Acknowledged("c1", {"tier": "old"}, "7"),
            Missed("upsert", "failed", "C", AT, VIP),
        ),
        (
            "upsert",
            "withheld",
            Acknowledged("c1", {"tier": "old"}, "7"),
            Missed("upsert", "withheld", "C", AT, VIP),
        ),
        ("remove", "removed", None, None),
        ("remove", "unknown", None, None),
        (
            "remove",
            "failed",
            Acknowledged("c1", {"tier": "old"}, "7"),
            Missed("remove", "failed", "C", AT, NOTHING),
        ),
    ],
)
def test_an_outcome_changes_what_the_crm_is_known_to_hold(action, status, acknowledged, missed):
    """What was missed before is settled by whatever came after it."""
    state = fold(known(), action, status, "C", "9")
    assert state.acknowledged.get("a@x.org") == acknowledged
    assert state.missed.get("a@x.org") == missed


def test_a_row_without_a_result_changes_nothing():
    """An outcome may name fewer rows than its chunk."""
    state = known()
    chunk = Chunk(
        "news", "1", "x", "hubspot", "contacts", "email", "m", "e", [Row(0, "c1", "a@x.org", "upsert", VIP)]
    )
    state.fold(chunk, Outcome("news", "1", "x", 1, AT, []))
    assert state == known()


@pytest.mark.parametrize(
    ("through", "latest", "number"), [("", None, "00000001"), ("00000041", None, "00000042")]
)
def test_the_next_run_has_the_next_number(through, latest, number):
    """Also when old runs were cleared away and only the snapshot knows how many there were."""
    assert Standing(State(through), latest, {}).next_run == number


def test_the_latest_run_counts_before_the_snapshot():
    """A run that is open is not folded yet."""
    counts = dict.fromkeys(
        (
            *(
                "selected",
                "unchanged",
                "to_send",
                "to_remove",
                "failed_waiting",
                "withheld_waiting",
                "unknown",
            ),
            *("no_consent", "no_address", "same_address"),
        ),
        0,
    )
    latest = Run("news", "00000007", "p", AT, {}, "d", 0, **counts)
    assert Standing(State("00000006"), latest, {"x": 0}).next_run == "00000008"
