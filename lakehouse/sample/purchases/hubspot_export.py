"""HubSpot's contact export: most customers once, some twice, with the dirt that people type."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lakehouse.sample.purchases.addresses import MALFORMED_EMAILS, MALFORMED_PHONES, typed_phone
from lakehouse.sample.purchases.files import SampleFile, columns, write_csv
from lakehouse.sample.purchases.policy import HubspotPolicy
from lakehouse.sample.purchases.randomness import draw_case
from lakehouse.sample.purchases.truth import Record, Statement

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from lakehouse.sample.purchases.people import Person
    from lakehouse.sample.purchases.truth import Status, Truth

# `Favourite Genre` is a column no mapping knows; it must be kept, not dropped.
HEADER = columns(
    "Record ID,First Name,Last Name,Email,Phone Number,Shop Customer ID,Lifecycle Stage,"
    "Legal basis for processing contact's data,Marketing consent,Marketing consent date,"
    "Preferred Language,City,Country/Region,Create Date,Last Modified Date,Original Source,Favourite Genre"
)
GENERATED = "Generated sample"
FILE = "hubspot_contacts.csv"

GENRES = ("Jazz", "Rock", "Pop, Soul & R'n'B", 'Songs for "late hours"', "古典音乐", "粤语流行", "Folk", "")
STAGES = ("customer", "customer", "customer", "opportunity", "subscriber", "evangelist")
BAD_ROWS = ("too_few_fields",) * 6 + ("bad_timestamp",) * 3 + ("missing_value",) * 3
LEGAL_BASIS = {"Yes": "Freely given consent from contact", "No": "Not applicable", "": ""}
_LAST_MOMENT = dt.datetime(1998, 6, 30, 18)  # noqa: DTZ001 - HubSpot's export writes no zone


@dataclass(slots=True)
class Contact:
    """One row to be. `email` and `phone` are as typed, `clean_*` what they mean (None: missing or malformed)."""

    person: Person
    email: str
    clean_email: str | None
    phone: str
    clean_phone: str | None
    shop_id: str
    consent: str
    consent_day: str
    created: dt.datetime
    modified: dt.datetime
    genre: str
    stage: str


def write_contacts(folder: Path, rng: random.Random, truth: Truth) -> SampleFile:
    """Write `hubspot/contacts` in order of record id, which is the order of creation, and note the truth."""
    contacts: list[Contact] = []
    for person in truth.people:
        if person.in_hubspot:
            contacts += _contacts_of(rng, person, truth)
    contacts.sort(key=lambda contact: (contact.created, contact.person.shop_id))
    good_rows: list[list[str]] = []
    record_id = 101
    for contact in contacts:
        record_id += 50 * rng.randint(1, 3)
        _note(truth, str(record_id), contact)
        good_rows.append(_row(rng, str(record_id), contact))
    rows = _with_bad_rows(rng, good_rows, record_id)
    path = folder / FILE
    write_csv(path, HEADER, (row for row, _ in rows), quote_all=False)
    truth.note_bad_rows(FILE, (code for _, code in rows))
    return SampleFile("hubspot", "contacts", path, len(rows))


def _with_bad_rows(
    rng: random.Random, good_rows: list[list[str]], last_id: int
) -> list[tuple[list[str], str | None]]:
    """Return the rows, each with its code (None: good), and at random positions rows that cannot load."""
    rows: list[tuple[list[str], str | None]] = [(row, None) for row in good_rows]
    record_id = last_id
    for code in BAD_ROWS if good_rows else ():
        record_id += 50
        broken = _break(rng, [str(record_id), *rng.choice(good_rows)[1:]], code)
        rows.insert(rng.randrange(len(rows) + 1), (broken, code))
    return rows


def _contacts_of(rng: random.Random, person: Person, truth: Truth) -> Iterator[Contact]:
    """Yield a person's contact, and now and then a second one."""
    contact = _contact(rng, person)
    yield contact
    may_be_twice = contact.clean_email or contact.clean_phone
    if rng.random() < HubspotPolicy.twice and may_be_twice:
        truth.count("hubspot", "duplicates")
        yield _second_contact(rng, contact)


def _contact(rng: random.Random, person: Person) -> Contact:
    joined = dt.datetime.fromisoformat(person.joined)
    created = joined + dt.timedelta(days=rng.randrange(60), minutes=rng.randrange(8 * 60, 20 * 60))
    consent = draw_case(rng, {"Yes": HubspotPolicy.consents, "No": HubspotPolicy.refuses}) or ""
    consent_day = (created + dt.timedelta(days=rng.randrange(10, 300))).date()
    email, clean_email = _typed_email(rng, person.email)
    phone, clean_phone = _typed_phone(rng, person.phone)
    modified = dt.datetime.combine(consent_day, created.time()) + dt.timedelta(days=rng.randrange(30))
    return Contact(
        person=person,
        email=email,
        clean_email=clean_email,
        phone=phone,
        clean_phone=clean_phone,
        shop_id=person.shop_id if rng.random() < HubspotPolicy.shop_id else "",
        consent=consent,
        consent_day=consent_day.isoformat() if consent else "",
        created=created,
        modified=modified,
        genre=rng.choice(GENRES),
        stage=rng.choice(STAGES),
    )


def _second_contact(rng: random.Random, first: Contact) -> Contact:
    """Return the same person entered once more, later: the same e-mail in other case, or the same phone."""
    person = first.person
    delay = dt.timedelta(days=rng.randrange(20, 200), minutes=rng.randrange(90))
    created = min(first.created + delay, _LAST_MOMENT)
    consent = rng.choice((first.consent, ""))
    second = replace(
        first,
        shop_id="",
        created=created,
        modified=max(first.modified, created),
        consent=consent,
        consent_day=first.consent_day if consent else "",
    )
    shares_email = first.clean_email and (rng.choice((True, False)) or not first.clean_phone)
    if shares_email:
        return replace(
            second, email=person.email.upper(), clean_email=person.email, phone="", clean_phone=None
        )
    phone = typed_phone(rng, person.phone)
    return replace(
        second,
        email=person.other_email,
        clean_email=person.other_email,
        phone=phone,
        clean_phone=person.phone,
    )


def _typed_email(rng: random.Random, email: str) -> tuple[str, str | None]:
    """Return an address as typed, and what it means (None: nothing)."""
    fault = draw_case(
        rng,
        {
            "missing": HubspotPolicy.email_missing,
            "malformed": HubspotPolicy.email_malformed,
            "upper_case": HubspotPolicy.email_upper_case,
            "padded": HubspotPolicy.email_padded,
        },
    )
    match fault:
        case "missing":
            return "", None
        case "malformed":
            return rng.choice(MALFORMED_EMAILS), None
        case "upper_case":
            return email.upper(), email
        case "padded":
            return f"  {email} ", email
        case _:
            return email, email


def _typed_phone(rng: random.Random, phone: str) -> tuple[str, str | None]:
    """Return a phone as typed, and what it means (None: nothing)."""
    shares = {"missing": HubspotPolicy.phone_missing, "malformed": HubspotPolicy.phone_malformed}
    match draw_case(rng, shares):
        case "missing":
            return "", None
        case "malformed":
            return rng.choice(MALFORMED_PHONES), None
        case _:
            return typed_phone(rng, phone), phone


def _note(truth: Truth, record_id: str, contact: Contact) -> None:
    """Note a contact in the truth: its identifiers, its consent, and the dirt in it."""
    record = Record("hubspot", record_id, contact.clean_email, contact.clean_phone, contact.shop_id or None)
    truth.note_record(contact.person, record)
    if contact.consent:
        status: Status = "granted" if contact.consent == "Yes" else "denied"
        truth.note_statement(contact.person, Statement("hubspot", record_id, status, contact.consent_day))
    truth.count("hubspot", "contacts")
    properties = {
        "missing_emails": not contact.email,
        "malformed_emails": contact.email in MALFORMED_EMAILS,
        "upper_case_emails": contact.email.isupper(),
        "padded_emails": contact.email != contact.email.strip(),
        "missing_phones": not contact.phone,
        "malformed_phones": contact.phone in MALFORMED_PHONES,
        "shop_ids": bool(contact.shop_id),
        f"consent_{contact.consent or 'blank'}".lower(): True,
    }
    for name, has_property in properties.items():
        truth.count("hubspot", name, int(has_property))


def _row(rng: random.Random, record_id: str, contact: Contact) -> list[str]:
    person = contact.person
    # only a phone with its prefix can do without a country
    has_no_country = rng.random() < HubspotPolicy.no_country and contact.phone.startswith("+")
    return [
        record_id,
        person.name.given,
        person.name.family,
        contact.email,
        contact.phone,
        contact.shop_id,
        contact.stage,
        LEGAL_BASIS[contact.consent],
        contact.consent,
        contact.consent_day,
        "zh-cn" if person.chinese else "en",
        person.city,
        "" if has_no_country else person.country,
        f"{contact.created:%Y-%m-%d %H:%M}",
        f"{contact.modified:%Y-%m-%d %H:%M}",
        GENERATED,
        contact.genre,
    ]


def _break(rng: random.Random, row: list[str], code: str) -> list[str]:
    """Return a row that cannot load, made of a good one."""
    if code == "too_few_fields":
        return row[: rng.randint(3, len(HEADER) - 4)]
    if code == "bad_timestamp":
        row[HEADER.index("Create Date")] = rng.choice(("31.31.1997", "1997-02-30 25:61", "yesterday"))
    else:
        row[0] = ""
    return row
