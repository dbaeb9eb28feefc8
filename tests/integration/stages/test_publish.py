"""Syncs that end, that are wrong, or that a brake has stopped; what a dry run says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from lakehouse import objects
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.outbound import log
from lakehouse.outbound.definition import parse_sync
from lakehouse.outbound.records import Row
from lakehouse.stages import export
from lakehouse.stages import publish as publish_stage
from lakehouse.stages.status import status
from tests.integration.stages.test_export import (
    SYNC,
    allow,
    compute,
    define,
    publish,
    settle,
)
from tests.support import cloud as clouds
from tests.support.small_company import SmallCompany


@pytest.fixture
def known(company) -> SmallCompany:
    """A CRM that knows that Ann and Bob are of high value."""
    compute(company, ann=10, bob=20)
    export.export(company.settings)
    publish(company)
    export.export(company.settings)
    return company


def restrict(company: SmallCompany, *names: str) -> None:
    """Let the lake know that only these consent."""
    company.fill(
        "core.consent_answers",
        *(
            {"customer_id": n, "address": f"{n}@x.org", "purpose": "marketing", "channel": "email", "allowed": True}
            for n in names
        ),
    )  # fmt: skip
    allow(company, *names)


def own_sync(monkeypatch, folder, **changes: str) -> None:
    """Put the shipped sync to people's own, with some of its text replaced."""
    text = (files("lakehouse.outbound") / "syncs" / f"{SYNC}.yaml").read_text("utf-8")
    for old, new in changes.items():
        text = text.replace(old, new)
    define(monkeypatch, folder, f"syncs/{SYNC}.yaml", text)


def test_a_sync_that_is_switched_off_takes_off_what_it_wrote(known, monkeypatch, tmp_path):
    """Reported: it removed nobody, not even who withdrew later."""
    own_sync(monkeypatch, tmp_path, **{"destination:": "enabled: false\ndestination:"})
    assert export.pending(known.settings)
    export.export(known.settings)
    assert publish(known) == {"ann": "remove", "bob": "remove"}
    settle(known)


def test_a_sync_whose_file_is_gone_takes_off_what_it_wrote(known, monkeypatch, tmp_path):
    """By the definition that it had; the one that takes its place writes when that is done."""
    shipped = (files("lakehouse.outbound") / "syncs" / f"{SYNC}.yaml").read_text("utf-8")
    monkeypatch.setattr(export.sync_orders, "load_syncs", lambda _: {"other": other})
    other = parse_sync(shipped.replace(f"name: {SYNC}", "name: other"), "other.yaml")
    export.export(known.settings)
    assert publish(known) == {"ann": "remove", "bob": "remove"}
    export.export(known.settings)
    assert publish(known) == {"ann": "upsert", "bob": "upsert"}
    settle(known)


@pytest.mark.parametrize("wrong", ["segments: [high_valu]", "segments: high_value"])
def test_who_refuses_is_taken_off_though_the_sync_is_wrong(known, monkeypatch, tmp_path, wrong):
    """An unknown segment, a file that cannot be read: nobody else is touched."""
    own_sync(monkeypatch, tmp_path, **{"segments: [sleeping_regulars, high_value, new_this_month]": wrong})
    restrict(known, "ann")
    with pytest.raises(BadDefinition, match="nobody taken off but who refuses"):
        export.export(known.settings)
    assert publish(known) == {"bob": "remove"}


def test_two_syncs_that_write_one_property_are_told(known, monkeypatch, tmp_path):
    """They would fight over it for ever; the second, by name, is held."""
    shipped = (files("lakehouse.outbound") / "syncs" / f"{SYNC}.yaml").read_text("utf-8")
    define(monkeypatch, tmp_path, "syncs/z_second.yaml", shipped.replace(f"name: {SYNC}", "name: z_second"))
    with pytest.raises(
        BadDefinition,
        match="sync z_second: properties.lakehouse_customer_id: sync hubspot_segments".replace(".", r"\."),
    ):
        export.export(known.settings)
    assert known.hints("publish") == []


def test_an_audience_that_is_empty_stops_before_the_crm_is_touched(known):
    """And says what to do; who refuses is taken off all the same; once it is accepted, all go."""
    compute(known, ann=0, bob=0)
    restrict(known, "ann")
    export.export(known.settings)
    assert publish(known) == {"bob": "remove"}
    export.export(known.settings)
    stopped = status(known.settings)["stopped"][SYNC]
    assert stopped["kind"] == "empty_audience"
    assert f"lakehouse publish {SYNC} --accept" in stopped["reason"]
    export.export(known.settings)
    assert known.hints("publish") == []
    assert not export.pending(known.settings)

    publish_stage.accept(known.settings, SYNC, "somebody")
    assert export.pending(known.settings)
    export.export(known.settings)
    assert publish(known) == {"ann": "remove"}
    export.export(known.settings)
    assert status(known.settings)["stopped"] == {}
    with pytest.raises(Terminal, match="is not stopped"):
        publish_stage.accept(known.settings, SYNC, "somebody")


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(known):
    """Counts, and samples that nobody can be written by."""
    compute(known, ann=0, bob=20, eve=30)
    export.segments.refresh(known.settings)
    before = set(objects.list_keys(clouds.OPS, ""))
    found = publish_stage.dry_run(known.settings, SYNC)
    assert (found.selected, found.held, found.unchanged) == (2, 2, 1)
    assert (found.to_send, found.to_remove, found.stopped, found.withheld) == (1, 1, "", {})
    (sample,) = found.samples["upserts"]
    assert sample["id"] == "e…@….org"
    assert "eve@" not in str(found)
    assert set(objects.list_keys(clouds.OPS, "")) == before
    assert known.hints("publish") == []
    with pytest.raises(Terminal, match="there is no sync hubspot_segment; did you mean hubspot_segments"):
        publish_stage.dry_run(known.settings, "hubspot_segment")


def test_a_sync_that_contacts_people_tells_the_gate_what_it_must_know(known, monkeypatch, tmp_path):
    """Calls and messages of people by the same channel, and when it is night there; without those tables, nobody's."""
    contact = "removed: x\ncontact: {cap: {most: 1, days: 7}}"
    own_sync(monkeypatch, tmp_path, **{'removed: ""': contact, "lakehouse_customer_id": "lakehouse_id"})
    export.export(known.settings)
    assert all(row.facts["by_people"] == [] and row.facts["windows"] for row in sent_rows(known))
    publish(known)
    now = datetime.now(UTC)
    activities = [("a1", "email", "outbound", 1), ("a2", "email", None, 2), ("a3", "email", "inbound", 1),
                  ("a4", "call", "outbound", 1), ("a5", "email", "outbound", 40)]  # fmt: skip
    known.fill(
        "core.activities",
        *(
            {"activity_id": n, "source": "crm", "customer_id": "ann", "kind": kind, "direction": direction,
             "occurred_at": now - timedelta(days=days)}
            for n, kind, direction, days in activities
        ),
    )  # fmt: skip
    own_sync(monkeypatch, tmp_path, **{'removed: ""': contact, "lakehouse_customer_id": "lakehouse_no"})
    export.export(known.settings)
    facts = {row.customer_id: [key for _, key in row.facts["by_people"]] for row in sent_rows(known)}
    assert facts == {"ann": ["crm:a2", "crm:a1"], "bob": []}


def sent_rows(company: SmallCompany) -> list[Row]:
    """The rows of the latest run that write."""
    run = log.latest_run(company.settings, SYNC)
    chunks = [log.chunk(company.settings, SYNC, run.run, name) for name in run.chunk_ids()]
    return [row for chunk in chunks for row in chunk.rows if row.action == "upsert"]
