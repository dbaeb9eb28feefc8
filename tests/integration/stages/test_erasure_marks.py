"""Who was erased is not written to again, whatever list comes again; what they say themselves afterwards counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakehouse import aws
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.landing.consent_request import statement_lines
from lakehouse.landing.signatures import Request
from lakehouse.privacy import consent
from lakehouse.privacy.address_hash import address_hasher
from lakehouse.stages.consent_questions import explain, normal_name
from lakehouse.stages.consent_statements import Statement, state
from lakehouse.stages.consents import refresh_consents
from lakehouse.stages.erasure_marks import end_erasure, mark_erased
from lakehouse.stages.resolve import resolve
from tests.integration.stages.test_consent_statements import audited, load_landed
from tests.integration.test_consent_cases import SHOP, allowed, load, track
from tests.support import cloud as clouds
from tests.support import small_company
from tests.support.small_company import SmallCompany

CRM = "contact_id,email,phone,customer_id,marketing_consent,marketing_consent_at,updated_at"
JANUARY, MAY = "2026-01-01T10:00:00Z", "2026-05-01T10:00:00Z"
ANN = f"1,ann@x.org,+12125550101,C1,yes,{JANUARY},{JANUARY}"
BOB = f"2,bob@x.org,,C2,yes,{JANUARY},{JANUARY}"


def now() -> datetime:
    return datetime.now(UTC)


def crm(company: SmallCompany, name: str, *rows: str) -> None:
    load(company, "crm/contacts", CRM, *rows, name=name)


def erase(company: SmallCompany, who: str) -> str:
    """Remember somebody as erased, and load that; return the erasure's id."""
    resolve(company.settings)
    marked = mark_erased(company.settings, who, "request 4711", "me", now())
    load_landed(company, "consent/erasures/")
    return marked.erasure_id


def ann(company: SmallCompany) -> str:
    """Return the customer id of whoever has the address."""
    found = company.ask("select customer_id from core.identities where identifier_value = 'ann@x.org'")
    return str(found[0][0])


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def known(company, monkeypatch, shelf) -> SmallCompany:
    """Two contacts who said yes, and their answers."""
    with small_company.kept(monkeypatch, shelf) as fresh:
        if fresh:
            crm(company, "1.csv", ANN, BOB)
            assert allowed(company) == {"ann@x.org", "bob@x.org"}
    return company


def test_no_list_that_comes_again_allows_what_an_erased_person_once_did(known):
    """The same file, a later one with a later yes, another system's, and a file of statements by whoever wrote it."""
    erased = erase(known, "ann@x.org")
    assert allowed(known) == {"bob@x.org"}
    later = (now() + timedelta(minutes=1)).isoformat()
    crm(known, "again.csv", ANN, BOB)
    crm(known, "later.csv", f"1,ann@x.org,+12125550101,C1,yes,{later},{later}")
    load(known, "shop/customers", SHOP, f"S9,Ann,Ann@X.org ,yes,{later},{JANUARY},{later}")
    statement = {
        "statement_id": "s", "address": "ann@x.org", "channel": "email", "purpose": "marketing",
        "granted": "yes", "stated_at": now().isoformat(),
    }  # fmt: skip
    known.load("consent/statements", "list.ndjson", json.dumps(statement) + "\n")
    assert allowed(known) == {"bob@x.org"}
    found = explain(known.settings, "ann@x.org")
    assert {(row["allowed"], row["erased"], row["consent_id"]) for row in found["answers"]} == {
        (False, True, erased)
    }
    naming = [row["erasure_id"] for row in found["statements"] if row["granted"] and row["address"]]
    assert set(naming) == {erased}
    [told] = found["erasures"]
    assert (told["erasure_id"], told["reason"], told["names_it"]) == (erased, "request 4711", True)


def test_an_old_record_of_an_erased_person_brings_no_other_address_back(known):
    """The record is known by its id, too: an older export has the address before, which nobody knew any more."""
    crm(known, "2.csv", f"1,ann.new@x.org,,C1,yes,{MAY},{MAY}")
    resolve(known.settings)
    erase(known, "ann.new@x.org")
    crm(known, "old.csv", ANN, f"1,ann.older@x.org,,C1,yes,{JANUARY},2025-06-01T00:00:00Z", BOB)
    crm(known, "other.csv", f"77,ann@x.org,,,yes,{MAY},{MAY}")  # an address that the record had before
    crm(known, "moved.csv", f"1,ann.moved@x.org,,C1,yes,{MAY},2027-01-01T00:00:00Z")
    assert allowed(known) == {"bob@x.org"}


def test_what_an_erased_person_says_afterwards_counts_and_nothing_else_does(known):
    """By a command or a signed request, of the address that it names; an earlier word of theirs does not."""
    early = now() - timedelta(seconds=30)
    state(known.settings, Statement("ann@x.org", "email", "marketing", True, early), "me", early)
    load_landed(known, "consent/statements/")
    erase(known, "ann@x.org")
    assert allowed(known) == {"bob@x.org"}
    state(known.settings, Statement("ann@x.org", "email", "marketing", True, now()), "me", now())
    load_landed(known, "consent/statements/")
    crm(known, "again.csv", ANN)
    assert allowed(known) == {"ann@x.org", "bob@x.org"}
    [answer] = [row for row in explain(known.settings, "ann@x.org")["answers"] if row["allowed"]]
    own = known.ask("select consent_id from core.consents where own_word and erasure_id is null")
    assert [(answer["consent_id"],)] == own  # what is sent leans on that word, not on the list
    state(known.settings, Statement("ann@x.org", "email", "marketing", False, now()), "me", now())
    load_landed(known, "consent/statements/")
    assert allowed(known) == {"bob@x.org"}


def test_a_signed_request_says_how_it_came_whatever_its_body_says():
    """A file that somebody puts down cannot be told from one otherwise."""
    body = {"subject": {"email": "ann@x.org"}, "granted": True, "via": "list"}
    request = Request(
        source="consent", entity="statements", method="POST", uri="", headers={"webhook-id": "w"},
        body=json.dumps(body).encode(),
    )  # fmt: skip
    [line] = statement_lines(request)
    assert json.loads(line)["via"] == "post"


def test_the_gate_says_that_a_person_was_erased(known):
    """A chunk that was planned before is withheld for a reason of its own; who never agreed is not called erased."""
    [customer] = [
        row[0]
        for row in known.ask("select customer_id from core.identities where identifier_value = 'ann@x.org'")
    ]
    erase(known, customer)
    people = [(customer, "ann@x.org"), ("c_else", "nobody@x.org")]
    found = consent.grants(known.settings, people, "marketing", "email", now())
    assert (found.consent_ids, found.unanswered, found.erased) == ({}, frozenset(), {people[0]})


def test_no_address_is_kept_of_who_was_erased(known):
    """Neither in the raw file, nor its table, nor the audit log; and a reason that quotes it is refused."""
    erase(known, "ann@x.org")
    landed = aws.s3().list_objects_v2(Bucket=clouds.LANDING, Prefix="consent/erasures/")["Contents"]
    bodies = [aws.s3().get_object(Bucket=clouds.LANDING, Key=each["Key"])["Body"].read() for each in landed]
    kept = [*map(repr, bodies), repr(known.ask("from raw.consent_erasures")), repr(audited())]
    assert not [text for text in kept for name in ("ann@x.org", "ann", "12125550101", "C1") if name in text]
    assert "consent_erased" in kept[-1]
    with pytest.raises(Terminal, match="names the person"):
        mark_erased(known.settings, "bob@x.org", "another address of theirs is rob@y.org", "me", now())
    with pytest.raises(Terminal, match="names the person"):
        mark_erased(known.settings, "+1 212 555 0101", "call of +12125550101", "me", now())


def test_an_erasure_of_the_wrong_person_ends_and_another_one_of_them_stays(known):
    """What was said before counts again; where the same address was marked twice, both must end."""
    first, second = erase(known, "ann@x.org"), erase(known, "ann@x.org")
    for each, right in ((first, {"bob@x.org"}), (second, {"ann@x.org", "bob@x.org"})):
        end_erasure(known.settings, each, "it was Bea", "me", now())
        load_landed(known, "consent/erasures/")
        assert allowed(known) == right
    [customer] = [
        row[0]
        for row in known.ask("select customer_id from core.identities where identifier_value = 'ann@x.org'")
    ]
    assert explain(known.settings, customer)["erasures"] == []
    with pytest.raises(Terminal, match="no erasure"):
        end_erasure(known.settings, first, "again", "me", now())


def test_a_phone_that_somebody_else_has_by_now_stays_theirs(company):
    """Hers are remembered, the phone that she had before among them, unless another record carries it."""
    header = "contact_id,name,email,phone,updated_at"
    before = f"71,Ines Vogt,ines.old@x.org,+12125550371,{JANUARY}"
    after = (f"71,Ines Vogt,ines@x.org,+12125550372,{MAY}", f"72,Paul Vogt,,+12125550371,{MAY}")
    load(company, "crm/contacts", header, before)
    load(company, "crm/contacts", header, *after, name="2.csv")
    erase(company, "ines@x.org")
    hasher = address_hasher(company.settings)
    hers = ("ines@x.org", "ines.old@x.org", "+12125550372")
    hashed = company.ask("select subject_hash from raw.consent_erasures where kind = 'address'")
    assert {row[0] for row in hashed} == set(map(hasher.hash, hers))


def test_another_key_stops_everything_rather_than_forget_who_was_erased(known):
    """Without the key that they were hashed with nobody would be known to be erased."""
    erase(known, "ann@x.org")
    crm(known, "again.csv", ANN)
    clouds.renew_hash_key("another key of more than 32 characters")
    try:
        with pytest.raises(BadDefinition, match="holds another key"):
            refresh_consents(known.settings)
    finally:
        clouds.renew_hash_key(clouds.HASH_KEY)


def test_an_address_that_begins_as_a_customer_id_does_is_an_address(company):
    """Whether anybody is known by it or not."""
    crm(company, "1.csv", f"1,c_lee@x.org,,C1,yes,{JANUARY},{JANUARY}")
    assert mark_erased(company.settings, "C_Lee@x.org", "request 4711", "me", now()).addresses == 1
    assert allowed(company) == {"c_lee@x.org"}  # resolves
    marked = mark_erased(company.settings, "c_Lee@x.org", "request 4712", "me", now())
    assert (len(marked.customers), marked.addresses) == (1, 1)
    assert [each["address"] for each in explain(company.settings, normal_name("c_Lee@x.org"))["answers"]] == [
        "c_lee@x.org"
    ]


def test_a_customer_that_is_not_there_is_told(known):
    """Nothing is remembered of a typing error."""
    with pytest.raises(Terminal, match="no customer c_nobody"):
        mark_erased(known.settings, "c_nobody", "request 1", "me", now())


@pytest.mark.parametrize(
    "row",
    [
        "31,Ann Lee <ANN@x.org>,,,yes,{0},{0}", "32,ann@x.org; zed@y.org,,,yes,{0},{0}",
        "33,ａｎｎ@x.org,,,yes,{0},{0}", "34,ann@x.org.,,,yes,{0},{0}", "35,\u200fann@X.ORG ,,,yes,{0},{0}",
    ],
)  # fmt: skip
def test_however_a_list_spells_the_address_it_allows_nothing(known, row):
    """What stands beside it in the cell is somebody else's."""
    erase(known, "ann@x.org")
    crm(known, "again.csv", row.format(now().isoformat()))
    assert allowed(known) <= {"bob@x.org", "zed@y.org"}


def test_neither_the_phone_nor_the_events_of_an_erased_person_allow_anything(company):
    """The phone as another country writes it; the site's user, whose consent comes with each page view."""
    user = {"userId": "u7", "context": {"traits": {"email": "kim@x.org"}}}
    agrees = {"consent": {"categoryPreferences": {"Email Marketing": True}}}
    track(company, "1", {**user, "context": {**user["context"], **agrees}, "hour": 9})
    crm(company, "1.csv", "9,kim@x.org,+12125550199,,,,2026-01-01")
    assert allowed(company) == {"kim@x.org"}
    erase(company, "+1 212 555 0199")
    later = now().isoformat()
    event = {"userId": "u7", "timestamp": later, "messageId": "m", "type": "page", "context": agrees}
    company.load("web/events", "2.json", json.dumps(event) + "\n")
    sms = {"statement_id": "s", "address": "(212) 555-0199", "country": "US", "channel": "sms", "purpose": "marketing",
           "granted": "yes", "stated_at": later}  # fmt: skip
    company.load("consent/statements", "list.ndjson", json.dumps(sms) + "\n")
    assert allowed(company) == set()
    assert company.ask("select count(*) from core.consent_answers where allowed") == [(0,)]
    state(company.settings, Statement("+12125550199", "sms", "marketing", True, now()), "me", now())
    load_landed(company, "consent/statements/")
    told = company.ask("select address, channel from core.consent_answers where allowed")
    assert told == [("+12125550199", "sms")]  # of what they said, and of nothing else
