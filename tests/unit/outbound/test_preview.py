"""Samples of a plan show what is written and nobody whom one could write to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.outbound import log, planner
from lakehouse.outbound.changes import Change
from lakehouse.outbound.deliver import deliver
from lakehouse.outbound.planner import Request
from lakehouse.outbound.policies import ledger
from lakehouse.outbound.policies.caps import Contacted
from lakehouse.outbound.policies.definition import Contact
from lakehouse.outbound.policy import ContactPolicy
from lakehouse.outbound.preview import Preview, _sample, masked, preview
from lakehouse.outbound.records import Desired
from lakehouse.privacy import consent
from lakehouse.privacy.consent import Grants
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC
from tests.unit.outbound.test_deliver import Crm

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("address", "shown"),
    [("li.wei@shop.example.cn", "l…@….cn"), ("@x.org", "…@….org"), ("+8613800138000", "…00"), ("", "…")],
)
def test_an_address_is_masked(address, shown):
    """What is left tells two rows apart, and reaches nobody."""
    assert masked(address) == shown


def test_a_sample_hides_addresses_wherever_they_stand():
    """In a property, too; the customer's id is cut."""
    change = Change("upsert", "cus_0123456789", "ann@x.org", {"tier": "vip", "mail": "ann@x.org"})
    assert _sample(SYNC, change) == {
        "customer": "cus_0123…", "id": "a…@….org", "properties": {"mail": "a…@….org", "tier": "vip"},
    }  # fmt: skip


def desired(name: str, opens: int = 0, **more) -> Desired:
    facts = {"windows": [[opens, 2**40]], "zone": "UTC", "by_people": []}
    return Desired(name, f"{name}@x.org", {"tier": "vip"}, **{"consented": True, "facts": facts, **more})


@pytest.fixture
def settings(monkeypatch, tmp_path):
    objects_in_memory(monkeypatch)
    monkeypatch.setattr(consent, "generation", lambda *_: "g")
    monkeypatch.setattr(consent, "grants", lambda _, who, *__: Grants(dict.fromkeys(who, "consent-1")))
    monkeypatch.setattr(planner, "announce", lambda *_: None)
    return Settings(ops_bucket="ops", scratch=tmp_path)


def test_a_dry_run_says_why_each_row_would_be_withheld_and_until_when(settings, monkeypatch):
    """As the sending says it afterwards, reason by reason; nothing is reserved by asking."""
    sync = SYNC.model_copy(update={"contact": Contact.model_validate({"cap": {"most": 1}})})
    opens = int((NOW + timedelta(hours=20)).timestamp())
    people = [
        desired("ann"), desired("bob"), desired("cat", opens), desired("dan", consented=False),
        desired("eve", control_of="vip"), desired("fay", suppressed_by="complaints"),
    ]  # fmt: skip
    earlier = Contacted(NOW - timedelta(days=2), "other/1/c/0", "other", settled=True)
    ledger.change(settings, "email", [("bob", lambda _: ([earlier], None))])
    request = Request(sync, {"v": "1"}, lambda: people, may_brake=False)

    def foreseen(now: datetime = NOW) -> Preview:
        return preview(settings, request, now)

    before = foreseen()
    asked = ledger.read(settings, "email", ["ann"])["ann"]
    reasons = {"consent": 1, "suppressed": 1, "control": 1, "quiet_hours": 1, "cap": 1}
    until = {
        "cap": (NOW + timedelta(days=5)).isoformat(),
        "quiet_hours": (NOW + timedelta(hours=20)).isoformat(),
    }
    assert (before.to_send, before.withheld, asked) == (1, reasons, [])
    assert before.until == {reason: [moment, moment] for reason, moment in until.items()}
    monkeypatch.setattr(ContactPolicy, "preview_rows", 1)
    assert (foreseen().to_send, foreseen().not_asked) == (3, 2)

    run = planner.plan(settings, request, NOW).run
    for name in run.chunk_ids():
        deliver(settings, "news", run.run, name, NOW, Crm())
    after = foreseen(NOW + timedelta(hours=1))
    assert (after.to_send, after.unchanged, after.withheld, after.until) == (0, 1, reasons, before.until)
    assert planner.plan(settings, request, NOW + timedelta(hours=1)).due == NOW + timedelta(hours=20)
    assert log.latest_run(settings, "news").run == run.run  # nothing is told again while nothing changes
    later = foreseen(NOW + timedelta(hours=20))
    del reasons["quiet_hours"]
    assert (later.to_send, later.withheld) == (1, reasons)


def test_a_sample_says_of_names_what_they_are_made_of():
    """A task's subject names the customer; whoever looks at the plan need not know whom."""
    sync = SYNC.model_copy(
        update={"properties": {"subject": "Call {name}: {because}", "who": "name", "tier": "segments"}}
    )
    said = {"subject": "Call Ann: win_back", "who": "Ann", "tier": "vip"}
    sample = _sample(sync, Change("upsert", "c1", "key", said))
    assert sample["properties"] == {"subject": "Call {name}: {because}", "who": "{name}", "tier": "vip"}
    cleared = _sample(sync, Change("remove", "c1", "key", dict.fromkeys(said, "")))
    assert set(cleared["properties"].values()) == {""}
