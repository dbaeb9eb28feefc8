"""Sequences of files that tied, or untied, the wrong people elsewhere, each by the shipped definitions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lakehouse.stages.resolve import resolve
from tests.integration.test_consent_cases import load

if TYPE_CHECKING:
    from tests.support.small_company import SmallCompany

CRM = "contact_id,name,email,phone,birth_date,updated_at"


def who(company: SmallCompany, kind: str, *values: str) -> list[str | None]:
    """Bring people up to date; return the customers of identifiers, None for nobody's."""
    resolve(company.settings)
    query = f"SELECT identifier_value, customer_id FROM core.identities WHERE identifier_type = '{kind}'"
    found = dict(company.ask(query))
    return [found.get(value) for value in values]


def track(company: SmallCompany, name: str, *messages: dict[str, object]) -> None:
    lines = []
    for number, message in enumerate(messages):
        when = f"2026-03-01T{number:02}:00:00Z"
        lines.append(
            json.dumps({"messageId": f"{name}{number}", "timestamp": when, "receivedAt": when} | message)
        )
    company.load("web/events", name, "\n".join(lines) + "\n")


def test_a_narrower_export_takes_nobody_s_name_away(company):
    """Two of one phone are apart by their names; an export of cities has no names. An empty cell clears one."""
    day = "2026-01-01T00:00:00Z"
    family = "+12125550101"
    load(
        company,
        "crm/contacts",
        CRM,
        f"1,Anna Holt,,{family},1980-01-01,{day}",
        f"2,Ben Holt,,{family},,{day}",
    )
    before = who(company, "crm_id", "1", "2")
    assert before[0] != before[1]
    cities = "contact_id,city,updated_at"
    load(company, "crm/contacts", cities, "1,Rome,2026-02-01", "2,Rome,2026-02-01", name="2.csv")
    assert who(company, "crm_id", "1", "2") == before
    nameless = f"2,,,{family},1982-02-02,2026-03-01"
    load(company, "crm/contacts", CRM, nameless, name="3.csv")
    after = who(company, "crm_id", "1", "2")
    assert after[0] == after[1]


def test_an_address_that_changed_hands_is_the_new_owner_s(company):
    """Who had it before keeps the id; a row of a clock in 2099 is corrected by the next one."""
    load(company, "crm/contacts", CRM, "3,Cy Poe,cy@x.org,,,2026-01-01", "5,Eve Fox,e@x.org,,,2099-01-01")
    cy, eve = who(company, "crm_id", "3", "5")
    later = ("3,Cy Poe,cy2@x.org,,,2026-03-01", "4,Dee Roe,cy@x.org,,,2026-03-02")
    load(company, "crm/contacts", CRM, *later, name="2.csv")
    load(company, "crm/contacts", CRM, "5,Eve Fox,eve@x.org,,,2098-01-01", name="3.csv")
    load(company, "crm/contacts", CRM, "6,Flo Orr,e@x.org,,,2026-03-02", name="4.csv")
    people = who(company, "crm_id", "3", "4", "5", "6")
    assert people[0] == cy
    assert people[2] == eve
    assert len(set(people)) == 4
    assert who(company, "email", "cy2@x.org", "cy@x.org", "eve@x.org", "e@x.org") == people


def test_an_alias_of_each_sign_in_ties_a_device_to_the_first_user_alone(company):
    """The site calls `alias` whenever somebody signs in. A cycle of aliases is one user; blanks are none."""
    alias = {"type": "alias", "anonymousId": "d1", "previousId": "d1"}
    page = {"type": "page", "anonymousId": "d1"}
    track(company, "a", page, {**alias, "userId": "u1"}, page, {**alias, "userId": "u2"})
    first, second = who(company, "user_id", "u1", "u2")
    assert first != second
    assert who(company, "anonymous_id", "d1") == [first]
    chain = [
        ("A", "B"),
        ("B", "C"),
        ("C", "D"),
        ("D", "A"),
        ("S", "S"),
        ("null", "N1"),
        ("null", "N2"),
        ("", "N3"),
    ]
    track(company, "b", *({"type": "alias", "previousId": old, "userId": new} for old, new in chain))
    assert len(set(who(company, "user_id", *"ABCD"))) == 1
    assert len(set(who(company, "user_id", "N1", "N2", "N3"))) == 3


def test_a_word_of_a_clock_that_is_years_ahead_can_be_taken_back(company):
    """Of one pair the word that came later counts then."""
    load(company, "crm/contacts", CRM, "7,Gil Ash,g@x.org,,,2026-01-01", "8,Hal Oak,h@x.org,,,2026-01-01")
    word = {
        "one_type": "crm_id",
        "one_value": "7",
        "other_type": "crm_id",
        "other_value": "8",
        "said_by": "eve",
    }
    ahead = word | {"statement_id": "w1", "verdict": "one", "said_at": "2099-01-01T00:00:00Z"}
    company.load("people/ties", "1.ndjson", json.dumps(ahead) + "\n")
    assert len(set(who(company, "crm_id", "7", "8"))) == 1
    back = word | {"statement_id": "w2", "verdict": "two", "said_at": "2098-01-01T00:00:00Z"}
    company.load("people/ties", "2.ndjson", json.dumps(back) + "\n")
    assert len(set(who(company, "crm_id", "7", "8"))) == 2


def test_names_that_are_hostile_are_names(company):
    """None stops a run, and none ties its user to another."""
    names = [
        "x" * 10_000, "张" * 10_000, "'; DROP TABLE core.identities; --", "👨‍👩‍👧‍👦",
        "\u202eевА", "a\x01b\x02", "{{7*7}}",
        "=cmd|' /C calc'!A0", "null", "NaN", "\u0000", "\ufeffAnna", "e\u0301" * 3000, "ﷺ" * 1000,
    ]  # fmt: skip
    said = [
        {"type": "identify", "userId": f"h{n}", "traits": {"name": name, "phone": name}}
        for n, name in enumerate(names)
    ]
    track(company, "h", *said)
    people = who(company, "user_id", *(f"h{n}" for n in range(len(names))))
    assert None not in people
    assert len(set(people)) == len(names)


def test_a_cycle_of_merges_is_one_person_and_a_cycle_that_contradicts_stays_as_it_is(company):
    """Each is said to be the next one, and the last to be the first; then somebody parts the first from the last."""
    rows = (f"2{n},Person {word},{word}@x.org,,,2026-01-01" for n, word in enumerate(("ay", "bee", "cee")))
    load(company, "crm/contacts", CRM, *rows)

    def say(number: int, one: str, other: str, verdict: str) -> None:
        word = {
            "one_type": "crm_id",
            "one_value": one,
            "other_type": "crm_id",
            "other_value": other,
            "said_by": "eve",
        }
        stated = word | {
            "statement_id": f"w{number}",
            "verdict": verdict,
            "said_at": f"2026-02-0{number}T00:00:00Z",
        }
        company.load("people/ties", f"w{number}.ndjson", json.dumps(stated) + "\n")

    for number, (one, other) in enumerate((("20", "21"), ("21", "22"), ("22", "20")), start=1):
        say(number, one, other, "one")
    assert len(set(who(company, "crm_id", "20", "21", "22"))) == 1
    say(4, "20", "22", "two")
    people = who(company, "crm_id", "20", "21", "22")
    assert people[0] != people[2]
    assert people[1] in {people[0], people[2]}
    load(company, "crm/contacts", CRM, "29,Zed Roe,zed@x.org,,,2026-01-01", name="2.csv")
    assert who(company, "crm_id", "20", "21", "22") == people
