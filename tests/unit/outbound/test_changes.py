"""What there is to send is decided from tables of what is wanted, held and missed; no clock, no server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.outbound.acknowledged import Acknowledged, Missed, State, Stray
from lakehouse.outbound.changes import (
    Change,
    Changes,
    find_changes,
    find_refusals,
    rows_that_wait,
    select_addresses,
)
from lakehouse.outbound.definition import Sync
from lakehouse.outbound.records import Desired

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VIP, GOLD, NOTHING = {"tier": "vip"}, {"tier": "gold"}, {"tier": ""}
SYNC = Sync.model_validate(
    {
        "name": "news",
        "destination": "hubspot",
        "id": {"property": "email", "from": "email"},
        "purpose": "marketing",
        "channel": "email",
        "segments": ["vip"],
        "properties": {"tier": "segments"},
        "retry_failed_after_hours": 24,
    }
)


def person(
    customer="c1", address: str | None = "a@x.org", properties=VIP, *, consented=True, erased=False
) -> Desired:
    return Desired(customer, address, properties, consented, erased)


def missed(
    action="upsert", status="failed", code="", hours_ago=1, properties=VIP, until_hours: float | None = None
) -> Missed:
    until = "" if until_hours is None else (NOW + timedelta(hours=until_hours)).isoformat()
    return Missed(action, status, code, (NOW - timedelta(hours=hours_ago)).isoformat(), properties, until)


def changes(*desired: Desired, held=None, missed_row=None, inputs_moved=False) -> Changes:
    """What there is to send when the CRM holds `held` at the address, and a row of it was missed."""
    state = State()
    if held is not None:
        state.acknowledged["a@x.org"] = held
    if missed_row is not None:
        state.missed["a@x.org"] = missed_row
    return find_changes(SYNC, desired, state, NOW, inputs_moved)


def summary(found: Changes) -> dict[str, object]:
    """All of the changes that is not empty."""
    names = Changes.__dataclass_fields__
    return {
        name: getattr(found, name)
        for name in names
        if name not in ("selected", "leaving") and getattr(found, name)
    }


UPSERT = Change("upsert", "c1", "a@x.org", VIP)
REMOVAL = Change("remove", "c1", "a@x.org", NOTHING)
HELD = Acknowledged("c1", VIP)


@pytest.mark.parametrize(
    ("desired", "held", "expected"),
    [
        pytest.param(person(), None, {"upserts": [UPSERT]}, id="new"),
        pytest.param(person(), HELD, {"unchanged": 1}, id="held as wanted"),
        pytest.param(person(), Acknowledged("c1", VIP, unknown=True), {"unknown": 1}, id="sent, and never answered"),
        pytest.param(person(), Acknowledged("c9", VIP), {"unchanged": 1}, id="the address moved to another customer"),
        pytest.param(
            person(properties=GOLD), HELD, {"upserts": [Change("upsert", "c1", "a@x.org", GOLD)]}, id="changed"
        ),
        pytest.param(
            person(), Acknowledged("c1", VIP | {"old": "x"}),
            {"upserts": [Change("upsert", "c1", "a@x.org", VIP | {"old": ""})]},
            id="a property that the sync no longer writes is cleared",
        ),
        pytest.param(person(), Acknowledged("c1", VIP | {"old": ""}), {"unchanged": 1}, id="cleared already"),
        pytest.param(person(consented=False), None, {"no_consent": ["c1"]}, id="no consent"),
        pytest.param(person(consented=False, erased=True), None, {"erased": ["c1"]}, id="erased"),
        pytest.param(
            person(consented=False), HELD, {"no_consent": ["c1"], "removals": [REMOVAL]}, id="consent is gone"
        ),
        pytest.param(
            replace(person(), suppressed_by="complaints"), HELD,
            {"suppressed": ["c1"], "left_out_by": {"c1": "complaints"}, "removals": [REMOVAL]}, id="suppressed",
        ),
        pytest.param(
            replace(person(), control_of="vip"), HELD,
            {"control": ["c1"], "left_out_by": {"c1": "vip"}, "removals": [REMOVAL]}, id="in the control group",
        ),
        pytest.param(person(address=None), None, {"no_address": ["c1"]}, id="no address"),
        pytest.param(
            person(address=None), HELD, {"no_address": ["c1"], "removals": [REMOVAL]}, id="the address is gone"
        ),
        pytest.param(None, HELD, {"removals": [REMOVAL]}, id="a leaver"),
        pytest.param(
            None, Acknowledged("c1", {"old": "x"}),
            {"removals": [Change("remove", "c1", "a@x.org", {"old": "", "tier": ""})]},
            id="a leaver is cleared of all that was ever written",
        ),
    ],
)  # fmt: skip
def test_each_selected_customer_is_sent_left_alone_or_left_out(desired, held, expected):
    """By what the CRM acknowledged, and what it should hold."""
    assert summary(changes(*([desired] if desired else []), held=held)) == expected


@pytest.mark.parametrize(
    ("missed_row", "inputs_moved", "expected"),
    [
        pytest.param(missed(), False, {"failed_waiting": ["c1"]}, id="failed, its time has not come"),
        pytest.param(missed(hours_ago=24), False, {"upserts": [UPSERT]}, id="its time has come"),
        pytest.param(missed(), True, {"upserts": [UPSERT]}, id="the inputs moved"),
        pytest.param(missed(properties=GOLD), False, {"upserts": [UPSERT]}, id="another row failed"),
        pytest.param(missed("remove"), False, {"upserts": [UPSERT]}, id="a removal failed"),
        pytest.param(
            missed(status="withheld", code="consent"), False, {"withheld_waiting": ["c1"]}, id="withheld for consent"
        ),
        pytest.param(
            missed(status="withheld", code="projection"), False, {"projection_waiting": ["c1"]},
            id="withheld for the projection",
        ),
        pytest.param(
            missed(status="withheld", code="quiet_hours", until_hours=2), True, {"quiet_waiting": ["c1"]},
            id="withheld until a moment, whatever moves",
        ),
        pytest.param(
            missed(status="withheld", code="cap", until_hours=99, properties=GOLD), True, {"cap_waiting": ["c1"]},
            id="and whatever it would write",
        ),
        pytest.param(
            missed(status="withheld", code="cap", hours_ago=90, until_hours=0), False, {"upserts": [UPSERT]},
            id="its moment has come",
        ),
        pytest.param(
            missed(status="withheld", code="cap", hours_ago=30, until_hours=1), False, {"cap_waiting": ["c1"]},
            id="no other time counts before its moment",
        ),
    ],
)  # fmt: skip
def test_a_row_that_was_missed_waits_for_its_time_by_its_reason(missed_row, inputs_moved, expected):
    """A row goes again at once when anything is different from when it was missed."""
    found = changes(person(), missed_row=missed_row, inputs_moved=inputs_moved)
    assert summary(found) == expected


def test_a_row_that_clears_an_old_property_waits_like_any_other():
    """What was missed is compared with what would be written, the cleared properties included."""
    held = Acknowledged("c1", {"tier": "old", "gone": "x"})
    row = missed(properties=VIP | {"gone": ""})
    assert summary(changes(person(), held=held, missed_row=row)) == {"failed_waiting": ["c1"]}


@pytest.mark.parametrize(
    ("missed_row", "removals"),
    [
        (missed("remove", properties=NOTHING), []),
        (missed("remove", properties=NOTHING, hours_ago=24), [REMOVAL]),
        (missed("remove", properties={"other": ""}), [REMOVAL]),
        (missed("upsert"), [REMOVAL]),
    ],
)
def test_a_removal_that_failed_waits_too(missed_row, removals):
    """Unless its time has come, or it would clear something else."""
    assert changes(held=HELD, missed_row=missed_row).removals == removals


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_customers_with_one_address_the_smallest_id_is_sent(order):
    """Whoever comes first; the others are left out by that reason."""
    people = [person("c3"), person("c1"), person("c2"), person("c4", "b@x.org"), person("c5", None)]
    selection = select_addresses(people[::order])
    assert {address: chosen.customer_id for address, chosen in selection.by_address.items()} == {
        "a@x.org": "c1",
        "b@x.org": "c4",
    }
    assert sorted(selection.same_address) == ["c2", "c3"]
    assert (selection.selected, selection.no_address) == (5, ["c5"])


def test_rows_wait_as_long_as_the_sync_says():
    """To the second; not until the clock has caught up with a time from the future."""
    rows = {
        "early": missed(hours_ago=23.9), "due": missed(hours_ago=24), "late": missed(hours_ago=99),
        "future": missed(hours_ago=-1),
    }  # fmt: skip
    assert rows_that_wait(SYNC, rows, NOW, inputs_moved=False).keys() == {"early"}
    assert rows_that_wait(SYNC, rows, NOW, inputs_moved=True) == {}


def test_everybody_selected_is_counted_once():
    """The counts of a run add up."""
    found = changes(
        person("c1", properties=GOLD),
        person("c2"),
        person("c3", None),
        person("c4", "b@x.org", consented=False),
        held=Acknowledged("c1", VIP),
    )
    others = [found.no_address, found.no_consent, found.same_address, found.upserts]
    assert found.selected == sum(map(len, others)) + found.unchanged + found.unknown == 4


def test_rows_have_one_order_and_removals_come_first():
    """The same changes make the same plan."""
    found = Changes(
        upserts=[Change("upsert", "c2", "b", VIP), Change("upsert", "c1", "a", VIP)],
        removals=[Change("remove", "c9", "z", NOTHING), Change("remove", "c3", "y", NOTHING)],
    )
    assert [row.customer_id for row in found.rows] == ["c3", "c9", "c1", "c2"]


def test_a_stray_record_is_cleared_of_all_that_stood_there():
    """By its id; its address is written as ever."""
    state = State(
        acknowledged={"a@x.org": Acknowledged("c1", VIP, "9")},
        strays={"7": Stray("a@x.org", "c1", {"old": "x"})},
    )
    found = find_changes(SYNC, [person()], state, NOW, inputs_moved=False)
    stray = Change("remove", "c1", "a@x.org", {"old": "", "tier": ""}, "7", stray=True)
    assert (found.removals, found.unchanged, found.leaving) == ([stray], 1, 0)
    state.missed["#7"] = missed("remove", properties={"old": "", "tier": ""})
    assert find_changes(SYNC, [person()], state, NOW, inputs_moved=False).removals == []


def test_only_who_leaves_without_refusing_counts_as_leaving():
    """The brakes look at that: a refusal is never a mistake of ours."""
    held = State(acknowledged={f"{name}@x.org": Acknowledged(name, VIP) for name in "abcd"})
    held.acknowledged["e@x.org"] = Acknowledged("e", VIP)
    people = [
        person("a", "a@x.org"),
        person("b", "b@x.org", consented=False),
        person("c", None),
        replace(person("e", "e@x.org"), control_of="vip"),  # a share that is mistyped takes people off, too
    ]
    found = find_changes(SYNC, people, held, NOW, inputs_moved=False)
    assert {change.customer_id for change in found.removals} == {"b", "c", "d", "e"}
    assert found.leaving == 3


def test_refusals_alone_take_off_only_who_does_not_allow_it():
    """At the address that the channel writes to."""
    held = State(
        acknowledged={
            "a@x.org": Acknowledged("a", VIP, "1"),
            "b@x.org": Acknowledged("b", VIP, "2"),
            "c@x.org": Acknowledged("c", VIP, "3", address="+15550001"),
        }
    )
    allowed = {("a", "a@x.org"), ("c", "+15550001"), ("z", "b@x.org")}
    found = find_refusals(SYNC, allowed, held, NOW, inputs_moved=False)
    assert found.removals == [Change("remove", "b", "b@x.org", NOTHING, "2")]
    assert found.upserts == []
