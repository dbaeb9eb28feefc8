"""What the CRM holds is the fold of all outcomes, row by row."""

from __future__ import annotations

import pytest

from lakehouse.outbound.acknowledged import Acknowledged, Missed, State, Stray, cleared_records
from lakehouse.outbound.records import Result, Row

AT = "2026-03-01T12:00:00+00:00"
VIP, NOTHING = {"tier": "vip"}, {"tier": ""}


def fold(state: State, action: str, status: str, code: str = "", crm_id: str = "", **more) -> State:
    """Fold one row into a state; `uncertain` is of the result, the rest of the row."""
    uncertain = more.pop("uncertain", False)
    more |= {"crm_id": crm_id} if more.get("stray") else {}
    row = Row(0, "c1", "a@x.org", action, VIP if action == "upsert" else NOTHING, **more)
    state.fold(row, Result(0, "c1", action, status, code, crm_id, uncertain=uncertain), AT)
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


STRAY = Stray("a@x.org", "c1", {"tier": "old"})


def test_an_address_that_leads_to_another_record_leaves_a_stray():
    """Renamed or made anew in the CRM: the record that we wrote before is known, and is taken off."""
    state = fold(known(), "upsert", "sent", crm_id="9")
    assert state.strays == {"7": STRAY}
    fold(state, "remove", "failed", "X", crm_id="7", stray=True)
    assert state.strays == {"7": STRAY}
    assert state.missed["#7"].code == "X"
    fold(state, "remove", "removed", "", "7", stray=True)
    assert (state.strays, state.missed) == ({}, {})
    assert state.acknowledged["a@x.org"] == Acknowledged("c1", VIP, "9")


def test_a_record_that_is_written_again_is_no_stray():
    """The address leads back to it."""
    state = fold(known(), "upsert", "sent", crm_id="9")
    fold(state, "upsert", "sent", crm_id="7")
    assert state.strays == {"9": Stray("a@x.org", "c1", VIP)}


def test_an_answer_without_an_id_keeps_the_one_that_is_known():
    """Trace ids are optional: the record is most likely the same."""
    assert fold(known(), "upsert", "sent").acknowledged["a@x.org"].crm_id == "7"


@pytest.mark.parametrize("status", ["failed", "withheld"])
def test_what_may_have_been_written_counts_as_written(status):
    """With all that may stand there; of a removal nothing is taken for granted."""
    state = fold(known(), "upsert", status, uncertain=True)
    assert state.acknowledged["a@x.org"] == Acknowledged("c1", {"tier": "vip"}, "7", uncertain=True)
    state = fold(known(), "remove", "failed", uncertain=True)
    assert state.acknowledged == known().acknowledged


def test_whoever_else_is_held_in_a_record_that_was_cleared_is_uncertain():
    """Merged in the CRM: one leaves, the other is written again."""
    state = State(acknowledged={"a": Acknowledged("c1", VIP, "7"), "b": Acknowledged("c2", VIP, "8")})
    state.disturb(["7"])
    assert {name: held.uncertain for name, held in state.acknowledged.items()} == {"a": True, "b": False}


@pytest.mark.parametrize(
    ("result", "records"),
    [
        (Result(0, "c1", "remove", "removed", "", "7"), ["7"]),
        (Result(0, "c1", "remove", "removed", "", "7,8"), ["7", "8"]),
        (Result(0, "c1", "remove", "removed", "GONE"), []),
        (Result(0, "c1", "remove", "failed", "X", "7"), []),
        (Result(0, "c1", "remove", "failed", "X", "7", uncertain=True), ["7"]),
        (Result(0, "c1", "upsert", "sent", "", "7"), []),
    ],
)
def test_a_removal_names_the_records_that_it_cleared(result, records):
    """Those that it may have cleared, too."""
    assert cleared_records(result) == records


def test_who_is_left_out_is_known_by_reason():
    """Until it is said that they no longer are."""
    state = State()
    state.fold_left_out("consent", "c1")
    state.fold_left_out("no_address", "c2")
    state.fold_left_out("", "c1")
    assert state.left_out == {"c2": "no_address"}
