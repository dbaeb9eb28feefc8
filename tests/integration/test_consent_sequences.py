"""Sequences of files that people met elsewhere: refusals that were lost on the way, each by the shipped definitions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_consent_cases import SHOP, allowed, load

if TYPE_CHECKING:
    from tests.support.small_company import SmallCompany

CRM = "contact_id,email,marketing_consent,marketing_consent_at,updated_at"
JANUARY, MAY, JUNE, AUGUST = (f"2026-{month:02}-01T10:00:00Z" for month in (1, 5, 6, 8))


CONSENT = {"consent": {"categoryPreferences": {"Email Marketing": True}}}


def track(company: SmallCompany, name: str, *events: dict[str, object]) -> None:
    """Land tracked events."""
    lines = (
        json.dumps({"type": "page", "messageId": f"{name}-{number}"} | event) + "\n"
        for number, event in enumerate(events)
    )
    company.load("web/events", f"{name}.ndjson", "".join(lines))


def crm(company: SmallCompany, name: str, *rows: str) -> None:
    load(company, "crm/contacts", CRM, *rows, name=name)


def state(company: SmallCompany, name: str, **said: object) -> int:
    """Land one refusal of June; return how many rows were set aside."""
    given = {
        "statement_id": name,
        "channel": "email",
        "purpose": "marketing",
        "granted": "no",
        "stated_at": JUNE,
    }
    outcome = company.load("consent/statements", f"{name}.ndjson", json.dumps(given | said) + "\n")
    return outcome.records[0].quarantined


@pytest.mark.parametrize("new", ["new@x.org", ""], ids=["renamed", "cleared"])
def test_a_refusal_stays_with_the_address_that_its_record_had(company, new):
    """As when a CRM merges two contacts, or clears the cell of who unsubscribed; the shop's yes is older."""
    crm(company, "1.csv", f"1,old@x.org,no,{MAY},{MAY}", f"2,other@x.org,no,{MAY},{MAY}")
    crm(company, "2.csv", f"1,{new},no,{MAY},{JUNE}")
    load(
        company,
        "shop/customers",
        SHOP,
        f"S1,Ann,old@x.org,yes,{JANUARY},{JANUARY},{JANUARY}",
        f"S2,Bob,bob@x.org,yes,{JANUARY},{JANUARY},{JANUARY}",
    )
    assert allowed(company) == {"bob@x.org"}


def test_the_next_owner_of_an_address_may_agree(company):
    """Later than the one before refused, whose new address stays refused."""
    crm(company, "1.csv", f"1,old@x.org,no,{MAY},{MAY}")
    crm(company, "2.csv", f"1,new@x.org,no,{MAY},{JUNE}")
    load(company, "shop/customers", SHOP, f"S1,Bob,old@x.org,yes,{AUGUST},{JANUARY},{AUGUST}")
    assert allowed(company) == {"old@x.org"}


@pytest.mark.parametrize(
    "date",
    [
        "1970-01-01T00:00:00Z", "1970-01-01", "1900-01-01", "0001-01-01T00:00:00Z", "1899-12-30", "0000-00-00",
        "0000-00-00 00:00:00", "0", "soon", "n/a",
    ],
)  # fmt: skip
def test_a_refusal_dated_with_what_stands_for_no_date_counts_from_when_it_came(company, date):
    """Else the yes before it would be the newer one."""
    crm(company, "1.csv", f"1,ann@x.org,yes,{JANUARY},{JANUARY}")
    crm(company, "2.csv", f"1,ann@x.org,no,{date},{JUNE}")
    assert allowed(company) == set()


def test_a_yes_does_not_follow_a_user_id_to_another_person(company):
    """User 42 said yes, and is somebody else now: nothing that tied it to the person before is left."""
    events = [
        {"userId": "42", "timestamp": JANUARY, "context": {"traits": {"email": "ann@x.org"}} | CONSENT},
        {"userId": "43", "timestamp": JANUARY, "context": {"traits": {"email": "cy@x.org"}} | CONSENT},
    ]
    track(company, "1", *events)
    assert allowed(company) == {"ann@x.org", "cy@x.org"}
    track(company, "2", {"userId": "42", "timestamp": JUNE, "context": {"traits": {"email": "ben@y.org"}}})
    assert allowed(company) == {"cy@x.org"}
    track(company, "3", {"userId": "42", "timestamp": AUGUST, "context": CONSENT})
    assert allowed(company) == {"ben@y.org", "cy@x.org"}


def test_a_row_of_a_clock_that_is_years_ahead_is_corrected_by_a_later_one(company):
    """The address it had is none of the record's any more."""
    crm(company, "1.csv", f"1,wrong@x.org,yes,{MAY},2099-05-01T10:00:00Z")
    crm(company, "2.csv", f"1,right@x.org,yes,{MAY},2098-05-01T10:00:00Z")
    assert allowed(company) == {"right@x.org"}


@pytest.mark.parametrize(
    "said",
    [
        {"channel": "Email"}, {"channel": " EMAIL "}, {"channel": "E-Mail"}, {"channel": "邮件"}, {"channel": "all"},
        {"purpose": "Marketing"}, {"purpose": "营销 "}, {"address": "Ann Lee <ANN@x.org>"}, {"address": "ann@x.org."},
        {"address": "'ann@x.org'"}, {"address": "'ann@x.org"}, {"address": "\u200fann@x.org\u0000"},
        {"address": None, "record_source": "CRM", "record_id": "1"},
        {"address": None, "record_source": "crm:contacts", "record_id": " 1 "},
        {"address": None, "record_source": "crm", "record_id": "1", "channel": "any"},
        {"address": "not given", "record_source": "crm", "record_id": "1"},
        {"purpose": "all"}, {"purpose": "Everything", "channel": "all"},
        {"address": None, "record_source": "crm", "record_id": "1", "channel": "any", "purpose": "any"},
    ],
    ids=str,
)  # fmt: skip
def test_a_refusal_is_read_however_it_is_spelled(company, said):
    """What it is about is no word of ours alone."""
    crm(company, "1.csv", f"1,ann@x.org,yes,{JANUARY},{JANUARY}")
    assert state(company, "s", **({"address": "ann@x.org"} | said)) == 0
    assert allowed(company) == set()


def test_a_refusal_finds_its_record_by_whatever_name_the_record_has(company):
    """Of the shop, whose ids are those of users, where the record has no e-mail but its person has; and of the site."""
    people = ("1,Ann Lee,ann@x.org,+12125550171", "B1,Ben Roe,ben@x.org,")
    rows = (f"{person},yes,{JANUARY},{JANUARY}" for person in people)
    load(
        company,
        "crm/contacts",
        "contact_id,name,email,phone,marketing_consent,marketing_consent_at,updated_at",
        *rows,
    )
    shop = "customer_id,name,phone,created_at,updated_at"
    load(company, "shop/customers", shop, f"S1,Ann Lee,+12125550171,{JANUARY},{JANUARY}")
    users = ({"userId": "u9", "anonymousId": "d9"}, {"anonymousId": "d8"})
    said = (
        {"timestamp": JANUARY, "context": {"traits": {"email": f"{at}@x.org"}} | CONSENT}
        for at in ("cy", "dee")
    )
    track(company, "1", *(user | each for user, each in zip(users, said, strict=True)))
    assert allowed(company) == {"ann@x.org", "ben@x.org", "cy@x.org", "dee@x.org"}
    named = [
        {"record_source": "shop", "record_id": "S1"},
        {"record_source": "crm:contacts", "record_id": "crm:contact:B1"},
        {"record_source": "web", "record_id": "u9"},
        {"record_source": "web/events", "record_id": "d8", "record_type": "anonymous_id"},
    ]
    assert [state(company, f"s{number}", **record) for number, record in enumerate(named)] == [0, 0, 0, 0]
    assert allowed(company) == set()


@pytest.mark.parametrize(
    "said",
    [
        {"channel": "carrier pigeon"}, {"purpose": "fun"}, {"channel": "all", "granted": "yes"},
        {"purpose": "all", "granted": "yes"},
        {"address": "ann @x.org"}, {"address": "ann"}, {"address": "ann@x.org%00"}, {"address": "ann@localhost"},
        {"channel": "sms"}, {"channel": "sms", "address": "+12125550101; +12125550102"},
    ],
    ids=str,
)  # fmt: skip
def test_a_statement_that_nobody_can_act_on_is_set_aside(company, said):
    """It is told, not stored as a refusal of nobody's."""
    assert state(company, "s", **({"address": "ann@x.org"} | said)) == 1


# What people wrote into a field for an address: no letter could be sent to it, and no record found by it.
NO_ADDRESSES = [
    ("email", "e-mail: ann@x.org"), ("email", "ann @x.org"), ("email", "ann@x.org/ben@x.org"), ("email", "ann%40x.org"),
    ("email", "&lt;ann@x.org&gt;"), ("email", "[ann@x.org](mailto:ann@x.org)"), ("email", "ann@x..org"),
    ("all", "ann@x"), ("sms", "12345"), ("sms", "5550698"), ("phone", "015112345679"), ("sms", "0161 234 5678"),
    ("whatsapp", "(212) 555-0621 (home)"), ("sms", "+1 212 555 0622, ask for Ann"), ("all", "+99 1234567890"),
]  # fmt: skip


def test_a_refusal_of_what_is_no_address_is_told(company):
    """It would be one of nobody's: a national number without its country, a local one, an address in a sentence."""
    said = {"purpose": "marketing", "granted": "no", "stated_at": JUNE}
    good = [
        ("sms", "+49 151 12345679"),
        ("email", "Ann Lee <ann@x.org>"),
        ("all", "ben@x.org"),
        ("push", "token-1"),
    ]
    lines = [
        json.dumps(said | {"statement_id": f"n{number}", "channel": channel, "address": address})
        for number, (channel, address) in enumerate(NO_ADDRESSES + good)
    ]
    outcome = company.load("consent/statements", "1.ndjson", "\n".join(lines) + "\n")
    assert outcome.records[0].quarantined == len(NO_ADDRESSES)
    kept = company.ask("SELECT address FROM raw.consent_statements ORDER BY ALL")
    assert kept == sorted((address,) for _, address in good)
