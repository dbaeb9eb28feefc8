"""A sync may know people by any of their ids: from files of 企业微信 and statements to the rows that are to be sent."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.outbound import log
from lakehouse.stages import export
from lakehouse.stages.consents import refresh_consents
from lakehouse.stages.resolve import resolve
from tests.integration.stages.test_export import define

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.small_company import SmallCompany

AS_OF = date(2026, 3, 1)
ANN, ANN_TOO, BOB = "wmAnnAnnAnnAnn1", "wmannannannann1", "woBobBobBobBob2"
DESTINATION = "name: teas\nkind: wecom_messages\nmessage: 新茶到了\n"
SYNC = """\
name: tea_news
destination: teas
id: {property: external_userid, from: wecom_external_userid}
purpose: marketing
channel: wecom
segments: [everybody]
properties: {segments: segments}
removal: keep
"""
Sent = dict[str, dict[str, str]]


def customer(external_userid: str, phone: str, day: int) -> dict[str, Any]:
    return {
        "external_contact": {"external_userid": external_userid, "name": "样", "type": 1},
        "follow_user": [{"userid": "lee", "remark": "", "remark_mobiles": [phone], "createtime": 1_780_000_000}],
        "seen_at": f"2026-02-{day:02}T00:00:00Z",
    }  # fmt: skip


def statement(number: int, granted: str, **about: str) -> dict[str, Any]:
    said = {"statement_id": str(number), "channel": "wecom", "purpose": "marketing", "granted": granted}
    return said | {"stated_at": f"2026-02-{number:02}T00:00:00Z"} | about


def lines(*objects: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in objects)


@pytest.fixture
def said(company, monkeypatch, tmp_path) -> Callable[..., Sent]:
    """Return a function that lands statements and returns what is to be sent: properties by id, by action."""
    define(monkeypatch, tmp_path, "destinations/teas.yaml", DESTINATION)
    define(monkeypatch, tmp_path, "syncs/tea_news.yaml", SYNC)
    define(
        monkeypatch,
        tmp_path,
        "segments/everybody.yaml",
        "name: everybody\ntitle: T\ndoc: D\nwhere: orders > 0\n",
    )
    known = (
        customer(ANN, "13900000001", 1),
        customer(ANN_TOO, "13900000001", 2),
        customer(BOB, "13900000002", 3),
    )
    company.load("wecom/customers", "1.ndjson", lines(*known))
    resolve(company.settings)

    def look(*statements: dict[str, Any]) -> Sent:
        company.load("consent/statements", f"{len(statements)}.ndjson", lines(*statements))
        resolve(company.settings)
        refresh_consents(company.settings)
        fill_marts(company)
        export.export(company.settings)
        return planned(company)

    return look


def fill_marts(company: SmallCompany) -> None:
    """Compute as much of the marts as an audience needs."""
    who = [row[0] for row in company.ask("SELECT DISTINCT customer_id FROM core.identities ORDER BY 1")]
    company.fill("core.customers", *({"customer_id": each} for each in who))
    company.fill("marts.customer_360", *({"customer_id": each, "as_of": AS_OF, "orders": 1} for each in who))
    company.fill("marts.rfm", *({"customer_id": each, "as_of": AS_OF} for each in who))


def planned(company: SmallCompany) -> Sent:
    found: Sent = {}
    for message in company.hints("publish"):
        if message["sync"] == "tea_news":
            chunk = log.chunk(company.settings, "tea_news", message["run"], message["chunk"])
            for row in chunk.rows:
                assert row.recipient[1] == row.id, "consent is asked of what is written to"
                found.setdefault(row.action, {})[row.id] = row.properties["segments"]
    return found


def test_a_yes_of_a_customers_record_reaches_the_customer_by_its_id(said):
    """In its own spelling: of two ids that differ in case alone, each is somebody."""
    yes = statement(1, "yes", record_source="wecom", record_id=BOB)
    assert said(yes) == {"upsert": {BOB: "everybody"}}


def test_of_two_ids_of_one_person_the_one_is_written_to_that_is_allowed(said):
    """The phone says that both are Ann; a yes is for the id whose record says it."""
    assert said(statement(1, "yes", record_source="wecom", record_id=ANN_TOO)) == {
        "upsert": {ANN_TOO: "everybody"}
    }


def test_a_statement_may_name_the_id(said):
    """As an address is named."""
    yes = statement(1, "yes", address=ANN)
    assert said(yes) == {"upsert": {ANN: "everybody"}}


def test_a_no_of_the_id_outranks_the_records_yes_before(said):
    yes = statement(1, "yes", record_source="wecom", record_id=BOB)
    assert said(yes, statement(2, "no", address=BOB)) == {}


def test_words_that_are_no_id_are_set_aside(company):
    """A yes of them would be nobody's, and so would a no."""
    body = lines(statement(1, "no", address="none"), statement(2, "no", address=BOB))
    assert company.load("consent/statements", "1.ndjson", body).records[0].quarantined == 1
