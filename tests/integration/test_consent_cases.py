"""What people met with other systems, and once with this one: a yes that writes to somebody who said no."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from lakehouse.privacy import consent
from lakehouse.stages.aggregate import aggregate
from lakehouse.stages.consents import refresh_consents
from lakehouse.stages.resolve import resolve
from tests.support.small_company import SmallCompany

CRM = "contact_id,name,email,phone,customer_id,country,marketing_consent,marketing_consent_at,created_at,updated_at"
SHOP = "customer_id,name,email,marketing_consent,marketing_consent_at,created_at,updated_at"
HUBSPOT = (
    "Record ID,Email,Shop Customer ID,Marketing consent,Marketing consent date,Create Date,Last Modified Date,"
    "Unsubscribed from all email"
)


def load(company: SmallCompany, place: str, header: str, *rows: str, name: str = "1.csv") -> None:
    company.load(place, name, "\n".join([header, *rows]) + "\n")


def allowed(company: SmallCompany) -> set[str]:
    """Bring people and consents up to date; return the addresses that the gate lets through, for whomever."""
    resolve(company.settings)
    refresh_consents(company.settings)
    answers = company.ask(
        "select distinct customer_id, address from core.consent_answers where address <> ''"
    )
    found = consent.grants(company.settings, answers, "marketing", "email", datetime.now(UTC))
    assert not found.unanswered
    return {address for _, address in found.consent_ids}


def track(company: SmallCompany, name: str, *messages: dict) -> None:
    """Load tracked messages, each with its hour of 2026-03-01, who it is of, and what its context says of consent."""
    lines = []
    for number, message in enumerate(messages):
        hour, preferences = message.pop("hour"), message.pop("says", None)
        when = f"2026-03-01T{hour:02}:00:00Z"
        fixed = {"messageId": f"{name}-{number}", "type": "page", "timestamp": when, "receivedAt": when}
        context = {} if preferences is None else {"consent": {"categoryPreferences": preferences}}
        lists = message.pop("lists", None)
        context |= {"consentManagement": lists} if lists else {}
        lines.append(json.dumps(fixed | {"context": context} | message))
    company.load("web/events", name, "\n".join(lines) + "\n")


YES, NO = {"Newsletter": True, "Advertising": False}, {"Newsletter": False, "Advertising": True}
UPDATED = {"type": "track", "event": "Segment Consent Preference Updated"}


def test_a_household_phone_lends_nobody_s_yes(company):
    """Two people share a phone; hers is no, his is yes and later: his address is written to, hers is not."""
    load(
        company,
        "crm/contacts",
        CRM,
        "71,Ines Vogt,ines@home.example.com,+1 212 555 0371,,,no,2026-05-01T10:00:00Z,2026-01-01,2026-11-15",
        "72,Paul Vogt,paul@home.example.com,(212) 555-0371,,US,yes,2026-06-01T10:00:00Z,2026-01-01,2026-06-02",
    )
    assert allowed(company) == {"paul@home.example.com"}


def test_a_narrower_export_takes_no_refusal_back(company):
    """The view has no column of it; the shop's older yes names no address."""
    load(
        company,
        "shop/customers",
        SHOP,
        "C11,Lena,,yes,2026-03-01T00:00:00Z,2026-01-02T00:00:00Z,2026-03-01T00:00:00Z",
    )
    load(
        company,
        "hubspot/contacts",
        HUBSPOT,
        "11,lena@example.com,C11,Yes,2026-02-01,2026-01-05,2026-10-01,true",
    )
    assert allowed(company) == set()
    narrow = "Record ID,Email,Marketing consent,Marketing consent date,Create Date,Last Modified Date"
    load(
        company,
        "hubspot/contacts",
        narrow,
        "11,lena@example.com,Yes,2026-02-01,2026-01-05,2026-11-20",
        name="2.csv",
    )
    assert allowed(company) == set()
    later = "11,lena@example.com,C11,,,2026-01-05,2026-11-21,"
    load(company, "hubspot/contacts", HUBSPOT, later, name="3.csv")  # the cell is there, and empty
    assert allowed(company) == set()


def test_a_narrower_export_leaves_the_address_where_it_was(company):
    """Without the column of e-mails the record has the one that it had; with an empty cell it has none."""
    load(company, "hubspot/contacts", HUBSPOT, "15,nora@example.com,,Yes,2026-02-01,2026-01-05,2026-03-01,")
    assert allowed(company) == {"nora@example.com"}
    narrow = "Record ID,Create Date,Last Modified Date"
    load(company, "hubspot/contacts", narrow, "15,2026-01-05,2026-04-01", name="2.csv")
    assert allowed(company) == {"nora@example.com"}
    load(company, "hubspot/contacts", HUBSPOT, "15,,,,,2026-01-05,2026-05-01,", name="3.csv")
    assert allowed(company) == set()


def test_an_export_without_a_change_date_is_as_new_as_its_arrival(company):
    """It says unsubscribed; an older one, with a date, did not."""
    load(
        company, "hubspot/contacts", HUBSPOT, "12,maya@example.com,C12,Yes,2026-03-01,2026-01-05,2026-05-01,"
    )
    assert allowed(company) == {"maya@example.com"}
    undated = (
        "Record ID,Email,Shop Customer ID,Marketing consent,Marketing consent date,Create Date,"
        "Unsubscribed from all email"
    )
    load(
        company,
        "hubspot/contacts",
        undated,
        "12,new@example.com,C12,Yes,2026-03-01,2026-01-05,true",
        name="2.csv",
    )
    assert allowed(company) == set()
    aggregate(company.settings)
    held = "select email from core.contacts where contact_id = '12' and valid_to is null"
    assert company.ask(held) == [("new@example.com",)]


@pytest.mark.parametrize("word", ["false", "N", "0", "unsubscribed", "opted out", "NO", "Opted-Out", "退订"])
def test_words_that_plainly_say_no_are_understood(company, word):
    """Whatever system wrote them; the yes before is withdrawn."""
    yes = "13,Ola,ola@example.com,,,,yes,2026-09-01T00:00:00Z,2026-01-01T00:00:00Z,2026-09-01T00:00:00Z"
    no = f"13,Ola,ola@example.com,,,,{word},2026-10-01T00:00:00Z,2026-01-01T00:00:00Z,2026-10-01T00:00:00Z"
    load(company, "crm/contacts", CRM, yes)
    load(company, "crm/contacts", CRM, no, name="2.csv")
    assert allowed(company) == set()


def test_a_word_that_nobody_knows_sets_its_row_aside(company):
    """It is told, not read as silence; what is no answer is none."""
    rows = (
        f"{n},P{n},p{n}@example.com,,,,{word},2026-10-01T00:00:00Z,2026-01-01T00:00:00Z,2026-10-01T00:00:00Z"
        for n, word in enumerate(["perhaps", "n/a", "yes"])
    )
    load(company, "crm/contacts", CRM, *rows)
    assert company.ask("select contact_id, marketing_consent from raw.crm_contacts order by 1") == [
        ("1", "n/a"),
        ("2", "yes"),
    ]
    assert allowed(company) == {"p2@example.com"}


def test_an_old_list_imported_today_says_what_it_said_then(company):
    """Its yes of March does not overrule the no of October, though the record was changed by the import."""
    load(company, "hubspot/contacts", HUBSPOT, "32,rosa@example.com,,No,2026-10-01,2026-01-05,2026-10-01,")
    old_yes = "32,rosa@example.com,,Yes,2026-03-01,2026-01-05,2026-11-20,"
    load(company, "hubspot/contacts", HUBSPOT, old_yes, name="2.csv")
    assert allowed(company) == set()
    new_yes = "32,rosa@example.com,,Yes,2026-11-21,2026-01-05,2026-11-22,"
    load(company, "hubspot/contacts", HUBSPOT, new_yes, name="3.csv")
    assert allowed(company) == {"rosa@example.com"}


def test_unsubscribed_is_lifted_by_a_yes_that_was_given_since(company):
    """Learnt today: the yes of before does not lift it, and `false` alone says nothing."""
    load(
        company, "hubspot/contacts", HUBSPOT, "33,uma@example.com,,Yes,2026-03-01,2026-01-05,2026-03-01,true"
    )
    assert allowed(company) == set()
    load(
        company,
        "hubspot/contacts",
        HUBSPOT,
        "33,uma@example.com,,Yes,2026-03-01,2026-01-05,2026-11-01,false",
        name="2.csv",
    )
    assert allowed(company) == set()


def test_a_ticked_box_of_a_later_order_takes_an_unticked_one_back(company):
    """Both speak for the address that was given with the order."""
    header = "Name,Email,Financial Status,Accepts Marketing,Created at,Total,Currency"
    load(company, "shopify/orders", header, "#1,sia@example.com,paid,no,2026-01-01 10:00:00 +0000,5.00,USD")
    assert allowed(company) == set()
    load(
        company,
        "shopify/orders",
        header,
        "#2,Sia@example.com,paid,yes,2026-02-01 10:00:00 +0000,5.00,USD",
        name="2.csv",
    )
    assert allowed(company) == {"sia@example.com"}


def test_statements_that_name_their_address_count_for_it(company):
    """A form's yes, and a call's no; of an address that nobody has the yes allows nobody."""
    load(company, "hubspot/contacts", HUBSPOT, "34,vera@example.com,,,,2026-01-05,2026-03-01,")
    said = (
        '{{"statement_id":"{}","address":"{}","channel":"email","purpose":"marketing","granted":"{}",'
        '"stated_at":"{}"}}\n'
    )
    yes = said.format("f1", "Vera@example.com", "yes", "2026-03-02T10:00:00Z")
    company.load(
        "consent/statements", "1.ndjson", yes + said.format("f2", "who@example.com", "yes", "2026-03-02")
    )
    assert allowed(company) == {"vera@example.com"}
    company.load(
        "consent/statements", "2.ndjson", said.format("c1", "vera@example.com", "opted out", "2026-03-02")
    )
    assert allowed(company) == set()


def test_consent_that_comes_with_events_counts_for_the_addresses_of_their_user(company):
    """By the context of any event; of a repeated one a statement is kept a change, from the first event of it."""
    identify = {"hour": 1, "userId": "u1", "type": "identify", "traits": {"email": "Kim@example.com"}}
    visits = [{"hour": hour, "userId": "u1", "says": YES} for hour in range(2, 9)]
    track(company, "1.ndjson", identify, *visits)
    assert allowed(company) == {"kim@example.com"}
    track(company, "2.ndjson", {"hour": 12, "userId": "u1", "says": NO, **UPDATED})
    assert allowed(company) == set()
    later = {"hour": 14, "userId": "u1", "says": YES, **UPDATED}
    track(company, "3.ndjson", {"hour": 10, "userId": "u1", "says": YES}, later)
    assert allowed(company) == {"kim@example.com"}
    said = company.ask(
        "select record, granted, hour(stated_at at time zone 'UTC'), channel, purpose from core.consents order by 3"
    )
    by_email = ("email", "marketing")
    assert said == [
        ("user:u1", True, 2, *by_email),
        ("user:u1", False, 12, *by_email),
        ("user:u1", True, 14, *by_email),
    ]


def test_a_device_that_refused_silences_its_customer_and_lends_nobody_a_yes(company):
    """It has no address of its own: its no is of all that its customer has, its yes of none."""
    load(company, "hubspot/contacts", HUBSPOT, "41,lou@example.com,C41,Yes,2026-02-01,2026-01-05,2026-02-01,")
    known = {"hour": 1, "userId": "C41", "anonymousId": "d1"}
    track(company, "1.ndjson", known, {"hour": 2, "anonymousId": "d1", "says": YES})
    assert allowed(company) == {"lou@example.com"}
    track(company, "2.ndjson", {"hour": 3, "anonymousId": "d1", "says": NO})
    assert allowed(company) == set()


@pytest.mark.parametrize(
    "says",
    [{"Advertising": True}, {"Newsletter": "maybe"}, {"Newsletter": None}, {"Newsletter": {}}, [True], {}],
)
def test_what_is_no_yes_in_an_event_is_none(company, says):
    """A category of cookies, a value that is no answer, no category at all; the event itself is loaded."""
    traits = {"email": "kim@example.com"}
    track(
        company, "1.ndjson", {"hour": 1, "userId": "u1", "type": "identify", "traits": traits, "says": says}
    )
    assert allowed(company) == set()
    assert company.ask("select count(*) from raw.events") == [(1,)]
    assert company.ask("select count(*) from core.consents where granted") == [(0,)]


def test_several_addresses_in_one_cell_are_each_refused_and_each_allowed(company):
    """A CRM with one field for all of them; whoever else carries one of them may not use it after her no."""
    when = "2026-01-01,2026-03-01"
    load(
        company,
        "crm/contacts",
        CRM,
        f"71,Ann,ann@x.org; Ann.Work@x.org,,,US,yes,2026-02-01,{when}",
        f"72,Bea,bea@x.org|bea.work@x.org,,,US,no,2026-02-01,{when}",
        f"73,Bea,bea.work@x.org,,,US,yes,2026-02-15,{when}",
        f'74,Cy,"""Poe, Cy"" <cy@x.org>",,,US,yes,2026-02-01,{when}',
    )
    assert allowed(company) == {"ann@x.org", "ann.work@x.org", "cy@x.org"}


def test_a_statement_that_names_several_addresses_is_one_about_each(company):
    """As a form's field with two in it: the no to one of them leaves the other."""
    load(
        company,
        "shopify/orders",
        "Name,Email,Financial Status,Accepts Marketing,Created at,Total,Currency",
        '#1,"ann@x.org, bea@x.org",paid,yes,2026-02-01 10:00:00 +0000,9.00,USD',
        "#2,bea@x.org,paid,no,2026-02-02 10:00:00 +0000,9.00,USD",
    )
    resolve(company.settings)
    refresh_consents(company.settings)
    rows = company.ask("SELECT address, granted FROM core.consents ORDER BY ALL")
    assert rows == [("ann@x.org", True), ("bea@x.org", False), ("bea@x.org", True)]


def test_lists_of_categories_say_yes_and_no(company):
    """As RudderStack's SDKs stamp them: the first event says yes, a later one takes it back."""
    user = {"userId": "u1", "type": "identify", "traits": {"email": "kim@example.com"}}
    yes = {"allowedConsentIds": ["newsletter", "C0001"], "deniedConsentIds": ["C0004"], "provider": "custom"}
    no = {"allowedConsentIds": ["C0001"], "deniedConsentIds": ["newsletter"], "provider": "custom"}
    silent = {"allowedConsentIds": [], "deniedConsentIds": [], "provider": "custom"}
    track(company, "1.ndjson", {"hour": 1, **user, "lists": silent})
    assert allowed(company) == set()
    track(company, "2.ndjson", {"hour": 2, "userId": "u1", "lists": yes})
    assert allowed(company) == {"kim@example.com"}
    track(company, "3.ndjson", {"hour": 3, "userId": "u1", "lists": no})
    assert allowed(company) == set()


def test_an_event_of_a_clock_that_is_years_ahead_is_no_newer_than_when_it_came(company):
    """Else its yes would outlive every refusal."""
    ahead = {"timestamp": "2062-01-01T00:00:00Z", "receivedAt": "2026-03-01T02:00:00Z"}
    identify = {"hour": 1, "userId": "u1", "type": "identify", "traits": {"email": "kim@example.com"}}
    track(company, "1.ndjson", identify, {"hour": 2, "userId": "u1", "says": YES, **ahead})
    assert allowed(company) == {"kim@example.com"}
    track(company, "2.ndjson", {"hour": 3, "userId": "u1", "says": NO})
    assert allowed(company) == set()


def test_a_statement_of_a_record_counts_among_those_of_the_record(company):
    """As a form states it that knows the CRM's id: it ends what the record said, and covers the address it has."""
    load(company, "hubspot/contacts", HUBSPOT, "51,zoe@example.com,,Yes,2026-02-01,2026-01-05,2026-02-01,")
    assert allowed(company) == {"zoe@example.com"}
    of_record = {"record_source": "hubspot", "record_id": "51", "purpose": "marketing", "channel": "email"}
    said = [
        of_record | {"statement_id": "w1", "granted": False, "stated_at": "2026-03-01T10:00:00Z"},
        {"statement_id": "w2", "purpose": "marketing", "channel": "email", "granted": False},
    ]
    outcome = company.load("consent/statements", "1.ndjson", "\n".join(map(json.dumps, said)) + "\n")
    assert outcome.records[0].quarantined == 1  # nobody's
    assert allowed(company) == set()
    yes = of_record | {"statement_id": "w3", "granted": True, "stated_at": "2026-03-02T10:00:00Z"}
    company.load("consent/statements", "2.ndjson", json.dumps(yes) + "\n")
    assert allowed(company) == {"zoe@example.com"}
