"""Tasks for causes: whom they are about, whose they are, and what becomes of them when a cause comes or goes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from lakehouse.outbound import fold, log
from lakehouse.outbound.definition import load_syncs
from lakehouse.settings import current
from lakehouse.stages import export, sync_causes, sync_ids, sync_orders
from tests.integration.stages.test_export import allow, compute, publish
from tests.support.small_company import SmallCompany, forget

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CALLS = """
name: calls
destination: hubspot
object: tasks
triggers: [win_back]
segments: [high_value]
suppress: [new_this_month]
owner: {default: "77"}
properties:
  hs_task_subject: "Call {name}: {because}"
  hs_timestamp: due_at
"""
HINTS = """
name: hints
destination: hubspot
object: tasks
duplicates: hubspot
owner: {map: {"5": "500"}}
properties:
  hs_task_subject: "{record_count} records of {name} are one person"
  hs_task_body: "{about}"
  hs_timestamp: due_at
"""
MARKS = """
name: marks
destination: hubspot
duplicates: hubspot
properties: {lakehouse_duplicates: records}
"""


def contact(
    name: str, customer: str, owner: str | None = None, day: int = 1, source: str = "hubspot"
) -> dict:
    at = datetime(2026, 2, day, tzinfo=UTC)
    return {"contact_id": name, "customer_id": customer, "source": source, "owner_id": owner, "created_at": at,
            "valid_from": at}  # fmt: skip


def trigger(customer: str, cause: str = "last order", rule: str = "win_back", **more) -> dict:
    return {"trigger": rule, "customer_id": customer, "cause": cause, "fired_at": NOW,
            "due_at": NOW - timedelta(days=1),
            "expires_at": NOW + timedelta(days=2), "reason_id": f"{customer}-{cause}", **more}  # fmt: skip


@pytest.fixture
def acting(company, monkeypatch, tmp_path) -> SmallCompany:
    """A company with syncs of causes; Ann has an owner, Bob has none."""
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
    monkeypatch.setenv("LAKEHOUSE_AS_OF", NOW.isoformat())
    forget()
    folder = tmp_path / "definitions" / "syncs"
    folder.mkdir(parents=True)
    for name, text in {"calls": CALLS, "hints": HINTS, "marks": MARKS}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    compute(company, ann=0, bob=0, cyd=9)
    company.fill("core.contacts", contact("1", "ann", "5"), contact("2", "bob"))
    return company


def rows(company: SmallCompany, name: str = "calls", now: datetime = NOW) -> list[dict]:
    sync = load_syncs(company.settings.definitions)[name]
    return list(sync_causes.cause_rows(company.settings, sync, now))


def tasks(company: SmallCompany, name: str = "calls") -> dict[str, dict[str, str]]:
    """Return by customer and cause's column what the CRM should hold."""
    sync = load_syncs(company.settings.definitions)[name]
    return {each.id: each for each in sync.desired(rows(company, name))}


def test_a_trigger_that_stands_is_a_task_for_the_owner(acting):
    """One that was taken back, is over, or is of another rule is none."""
    acting.fill(
        "marts.triggers",
        trigger("ann"),
        trigger("bob", cancelled_at=NOW),
        trigger("cyd", expires_at=NOW),
        trigger("cyd", rule="birthday"),
    )
    export.segments.refresh(acting.settings)
    found = {each.customer_id: each for each in tasks(acting).values() if "win_back" in str(each.properties)}
    assert found.keys() == {"ann"}
    assert (found["ann"].properties["hubspot_owner_id"], found["ann"].about) == ("5", "1")
    assert found["ann"].properties["hs_task_status"] == "NOT_STARTED"
    assert found["ann"].consented


def test_a_task_may_name_an_id_of_its_customer(acting, tmp_path):
    """Of several the one that was known first, as it is spelled; nothing where there is none; news of ids count."""
    file = tmp_path / "definitions" / "syncs" / "calls.yaml"
    file.write_text(CALLS + '  hs_task_body: "{hubspot_id} {user_id}"\n', "utf-8")
    acting.fill("marts.triggers", trigger("ann"), trigger("ann", "another"), trigger("bob"))
    first, later = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2))
    known = [
        {"identifier_type": kind, "identifier_value": value, "customer_id": "ann", "first_seen_at": at}
        for kind, value, at in (
            ("hubspot_id", "Hs9", first),
            ("hubspot_id", "Hs1", later),
            ("user_id", "U7", later),
        )
    ]
    acting.fill("core.identities", *known)
    export.segments.refresh(acting.settings)
    sync = load_syncs(current().definitions)["calls"]
    rows = list(sync.desired(sync_causes.cause_rows(acting.settings, sync, NOW)))
    said = [(row.customer_id, row.properties["hs_task_body"]) for row in rows]
    assert said == [("ann", "Hs9 U7"), ("ann", "Hs9 U7"), ("bob", " "), ("cyd", " ")]
    before = sync_ids.inputs_of(acting.settings, sync)
    acting.fill("core.identities", *known[1:])
    assert before != sync_ids.inputs_of(acting.settings, sync)
    assert sync_ids.inputs_of(acting.settings, load_syncs(current().definitions)["marks"]) == {}


def test_the_key_of_a_cause_stays_when_customers_are_merged(acting):
    """The trigger's row goes by another name then; its reason's id does not."""
    acting.fill("marts.triggers", trigger("ann"))
    export.segments.refresh(acting.settings)
    before = {each.id for each in tasks(acting).values() if each.customer_id == "ann"}
    acting.fill("marts.triggers", trigger("cyd", reason_id="ann-last order"))
    assert before < {each.id for each in tasks(acting).values() if each.customer_id == "cyd"}


def test_entering_a_segment_is_a_cause_once(acting):
    """The same while the customer stays; entering anew is another cause. Who belongs to nobody goes to the default."""
    export.segments.refresh(acting.settings)
    [task] = tasks(acting).values()
    assert (task.customer_id, task.properties["hubspot_owner_id"]) == ("cyd", "77")
    assert [row["segments"] for row in rows(acting)] == [["high_value"]]
    acting.fill("ops.segment_members", {"segment": "high_value", "customer_id": "cyd", "as_of": date(2026, 3, 9),
                                        "entered_on": date(2026, 3, 9)})  # fmt: skip
    assert tasks(acting).keys() != {task.id}


def test_who_was_erased_gets_no_task(acting):
    """Nor does who is in a segment that the sync keeps away from; nobody else is asked for consent."""
    acting.fill("marts.triggers", trigger("ann"), trigger("bob"))
    acting.fill(
        "core.consent_answers",
        {"customer_id": "ann", "address": "ann@x.org", "purpose": "news", "channel": "email", "allowed": False,
         "erased": True},
        {"customer_id": "bob", "address": "bob@x.org", "purpose": "marketing", "channel": "email", "allowed": False},
    )  # fmt: skip
    export.segments.refresh(acting.settings)
    acting.fill("ops.segment_members", {"segment": "new_this_month", "customer_id": "bob"})
    found = {each.customer_id: each for each in tasks(acting).values()}
    assert (found["ann"].consented, found["ann"].erased) == (False, True)
    assert (found["bob"].consented, found["bob"].suppressed_by) == (True, "new_this_month")


def test_records_that_are_one_person_are_one_hint(acting):
    """For the owner of one of them, by the map; it says which, and goes when they are split."""
    acting.fill(
        "core.contacts", contact("1", "ann", "5"), contact("3", "ann", day=2), contact("2", "bob"),
        contact("9", "bob", source="zoho"),
    )  # fmt: skip
    export.segments.refresh(acting.settings)
    [hint] = tasks(acting, "hints").values()
    assert hint.properties["hs_task_body"] == "1, 3"
    assert hint.properties["hs_task_subject"].startswith("2 records of")
    assert (hint.properties["hubspot_owner_id"], hint.no_owner) == ("500", False)
    marked = {key: each.properties["lakehouse_duplicates"] for key, each in tasks(acting, "marks").items()}
    assert marked == {"1": "3", "3": "1"}
    acting.fill(
        "core.contacts", contact("1", "ann", "5"), contact("3", "ann", day=2), contact("4", "ann", "8", 3)
    )
    [grown] = tasks(acting, "hints").values()
    assert (grown.id, grown.properties["hs_task_body"]) == (hint.id, "1, 3, 4")
    assert grown.no_owner  # of contact 4, which is newer, and whose owner the map lacks
    acting.fill("core.contacts", contact("1", "ann", "5"), contact("3", "dan", day=2))
    assert not tasks(acting, "hints")


def test_a_cause_is_told_once_and_closed_when_it_is_over(acting):
    """Time alone ends it: nothing else has to change."""
    acting.fill("marts.triggers", trigger("ann"))
    allow(acting)
    export.export(acting.settings)
    told = {(row.action, row.customer_id) for row in planned()}
    assert told == {("upsert", "ann"), ("upsert", "cyd")}
    assert publish(acting) == {"ann": "upsert", "cyd": "upsert"}
    export.export(acting.settings)
    assert not export.pending(acting.settings)
    acting.fill("marts.triggers", trigger("ann", expires_at=NOW))
    assert export.pending(acting.settings)
    export.export(acting.settings)
    [row] = planned()
    assert (row.action, row.customer_id, row.properties) == ("remove", "ann", {"hs_task_status": "COMPLETED"})
    assert len(fold.state_of(acting.settings, "calls").acknowledged) == 2


def planned() -> list:
    latest = log.latest_run(current(), "calls")
    return [
        row for name in latest.chunk_ids() for row in log.chunk(current(), "calls", latest.run, name).rows
    ]


def test_news_of_triggers_alone_plan_what_asks_for_triggers_alone(acting):
    """Marts may be half computed just then: what else there is to send waits until all of them are."""
    acting.fill("marts.triggers", trigger("ann"))
    export.export(acting.settings)
    assert publish(acting).keys() == {"ann", "cyd"}
    compute(acting, ann=0, bob=9, cyd=9)
    acting.fill("marts.triggers", trigger("ann"), trigger("bob"))
    export.export_triggered(acting.settings)
    planned = {message["sync"] for message in acting.hints("publish")}
    assert planned == {"calls"}
    [run] = [each for each in log.runs(acting.settings, "calls") if each.run == "00000002"]
    [chunk] = [log.chunk(acting.settings, "calls", run.run, name) for name in run.chunk_ids()]
    assert [(row.action, row.customer_id) for row in chunk.rows] == [("upsert", "bob")]
    because = {row.properties["hs_task_subject"] for row in chunk.rows}
    assert all("win" in text.lower() for text in because), because
    high_value = acting.ask("select customer_id from ops.segment_members where segment = 'high_value'")
    assert high_value == [("cyd",)]


def test_who_writes_because_of_triggers(acting):
    """Of their rows, or of a segment that they compute; and syncs that ended, which others may have to wait for."""
    folder = acting.settings.definitions
    (folder / "segments").mkdir()
    (folder / "segments" / "carts.yaml").write_text(
        "name: carts\ntitle: C\ndoc: D\nwhere: orders > 1\ntrigger: abandoned_cart\n", "utf-8"
    )
    mail = (
        "name: {}\ndestination: hubspot\npurpose: marketing\nchannel: email\nsegments: [{}]\n"
        "id: {{property: email, from: email}}\nproperties: {{{}: segments}}\n"
    )
    for name, segment in (("cart_mail", "carts"), ("other_mail", "high_value")):
        (folder / "syncs" / f"{name}.yaml").write_text(mail.format(name, segment, name), "utf-8")
    export.export(acting.settings)
    publish(acting)
    names = {"carts", "high_value", "new_this_month"}
    found = {each.name: each.kind for each in sync_orders.triggered(acting.settings, names)}
    assert found == {"calls": "wanted", "cart_mail": "wanted"}
    (folder / "syncs" / "hints.yaml").unlink()
    (folder / "syncs" / "calls.yaml").unlink()
    found = {each.name: each.kind for each in sync_orders.triggered(acting.settings, names)}
    assert found == {"calls": "ended", "hints": "ended", "cart_mail": "wanted"}
