"""A value that a person typed is theirs; one that we may have written is ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.outbound import guarded
from lakehouse.outbound.acknowledged import Acknowledged, State
from lakehouse.outbound.records import Result, Row

AT = "2026-03-01T00:00:00+00:00"


def row(value: str = "Oslo", action: str = "upsert", ours: tuple[str, ...] = ("",)) -> Row:
    return Row(0, "c1", "a@x.org", action, {"city": value}, guards={"city": list(ours)})


def result(
    status: str = "sent", *, kept: tuple[str, ...] = (), uncertain: bool = False, action: str = "upsert"
) -> Result:
    return Result(0, "c1", action, status, crm_id="7", kept=list(kept), uncertain=uncertain)


@pytest.mark.parametrize(
    ("current", "ours", "written", "kept"),
    [
        pytest.param({}, [""], {"city": "Oslo"}, [], id="a blank that we never wrote is filled"),
        pytest.param({"city": "Bergen"}, [""], {}, ["city"], id="what stands there before us is theirs"),
        pytest.param({"city": "Oslo"}, [""], {}, ["city"], id="so it is where it says the same"),
        pytest.param({"city": "Paris"}, ["Paris"], {"city": "Oslo"}, [], id="what we wrote is written over"),
        pytest.param({"city": "Rome"}, ["Paris"], {}, ["city"], id="what a person changed is not"),
        pytest.param({}, ["Paris"], {}, ["city"], id="what a person cleared is not filled again"),
        pytest.param({}, ["", "Paris"], {"city": "Oslo"}, [], id="an attempt that may have failed"),
        pytest.param({"city": "Oslo"}, ["", "Oslo"], {}, [], id="an attempt that may have written it did"),
    ],
)
def test_what_is_written_over(current, ours, written, kept):
    """Only a value that is ours, or a blank where we never wrote."""
    assert guarded.divide({"city": "Oslo"}, {"city": ours}, current) == (written, kept)


def test_what_is_not_guarded_is_written_whatever_stands_there():
    """As ever."""
    assert guarded.divide({"tier": "gold"}, {}, {"tier": "typed"}) == ({"tier": "gold"}, [])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-03-01T00:00:00+00:00", "2026-03-01T00:00:00.000Z", True),
        ("2026-03-01T01:00:00+01:00", "1772323200000", True),
        ("1.50", "1.5", True),
        (" Oslo ", "Oslo", True),
        ("Oslo", "oslo", False),
        ("007", "7", False),
        ("+4712345678", "4712345678", False),
        ("", "0", False),
        ("nan", "nan", True),
        ("Infinity", "Inf", False),
        ("2026-03-01", "2026-03-02", False),
    ],
)
def test_when_two_texts_say_the_same(one, other, same):
    """Moments and numbers as CRMs write them; not what is a number by its looks alone."""
    assert guarded.is_same(one, other) is same


def test_what_is_theirs_is_remembered_and_asked_no_more():
    """Also when everything of ours is taken off, and the person comes back."""
    state = State()
    state.fold(row(), result(kept=("city",)), AT)
    assert state.acknowledged["a@x.org"] == Acknowledged("c1", {}, "7", theirs=["city"])
    state.fold(row("", "remove", ()), result("removed", action="remove"), AT)
    held = state.acknowledged["a@x.org"]
    assert (held.closed, held.theirs) == (True, ["city"])
    assert guarded.guards_of(["city"], held) == {}


def test_after_a_lost_answer_both_values_are_ours():
    """The one of before, and the one that was sent; after an answer, the last alone."""
    state = State()
    state.fold(row("Oslo"), result(), AT)
    assert guarded.guards_of(["city"], state.acknowledged["a@x.org"]) == {"city": ["Oslo"]}
    state.fold_uncertain(row("Rome", ours=("Oslo",)))
    assert guarded.guards_of(["city"], state.acknowledged["a@x.org"]) == {"city": ["Oslo", "Rome"]}
    state.fold(row("Bonn", ours=("Oslo", "Rome")), result(), AT)
    assert guarded.guards_of(["city"], state.acknowledged["a@x.org"]) == {"city": ["Bonn"]}


@pytest.mark.parametrize(("cleared", "ours"), [("DONE", ["DONE", "Oslo"]), ("", ["Oslo"])])
def test_after_a_removal_of_unknown_fate_what_it_says_is_ours_too(cleared, ours):
    """But no blank: a person may have made it, whose word counts more than that nothing stays unfilled."""
    state = State()
    state.fold(row("Oslo"), result(), AT)
    lost = replace(result("failed", action="remove"), code="CONFLICT", uncertain=True)
    state.fold(row(cleared, "remove", ("Oslo",)), lost, AT)
    held = state.acknowledged["a@x.org"]
    assert guarded.guards_of(["city"], held) == {"city": ours}
    assert held.properties["city"] == "Oslo"
    state.fold(row(cleared, "remove", ours), result("removed", action="remove"), AT)
    assert guarded.guards_of(["city"], state.acknowledged["a@x.org"]) == {"city": [cleared]}


def test_a_record_that_was_closed_is_known_when_its_cause_comes_back():
    """By its id, and by what we wrote into it; without guards nothing is remembered, as ever."""
    state = State()
    state.fold(row("Oslo"), result(), AT)
    closing = Row(
        0, "c1", "a@x.org", "remove", {"status": "DONE"}, "7", guards={"city": ["Oslo"], "status": ["NEW"]}
    )
    state.fold(closing, result("removed", action="remove"), AT)
    held = state.acknowledged["a@x.org"]
    assert (held.closed, held.crm_id) == (True, "7")
    assert guarded.guards_of(["city", "status"], held) == {"city": ["Oslo"], "status": ["DONE"]}
    plain = State(acknowledged={"b@x.org": Acknowledged("c2", {"tier": "gold"})})
    plain.fold(Row(0, "c2", "b@x.org", "remove", {"tier": ""}), result("removed", action="remove"), AT)
    assert not plain.acknowledged


def test_an_attempt_of_before_may_have_written_the_row_itself():
    """Then what it says is ours, too; that a removal leaves a blank may be a person's doing."""
    assert guarded.may_be_written(row("Oslo")).guards == {"city": ["", "Oslo"]}
    assert guarded.may_be_written(row("", "remove", ("Oslo",))).guards == {"city": ["Oslo"]}
    assert guarded.may_be_written(row("DONE", "remove", ("Oslo",))).guards == {"city": ["DONE", "Oslo"]}


@pytest.mark.parametrize(("code", "remembered"), [("", False), ("GONE", True)])
def test_what_we_archived_is_made_again_and_what_somebody_deleted_is_not(code, remembered):
    """Should its cause come back."""
    state = State()
    state.fold(row("Oslo"), result(), AT)
    archiving = Row(0, "c1", "a@x.org", "remove", {}, "7", guards={"city": ["Oslo"]})
    state.fold(archiving, replace(result("removed", action="remove"), code=code), AT)
    assert ("a@x.org" in state.acknowledged) is remembered
