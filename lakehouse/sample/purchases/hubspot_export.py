"""HubSpot's contact export: most customers once, some twice, with the dirt that people type."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lakehouse.sample.purchases.addresses import MALFORMED_EMAILS, MALFORMED_PHONES, typed_phone
from lakehouse.sample.purchases.files import SampleFile, columns, write_csv
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

# shares of rows, as upper bounds of one draw
EMAIL_MISSING, EMAIL_MALFORMED, EMAIL_UPPER, EMAIL_PADDED = 0.03, 0.04, 0.09, 0.11
PHONE_MISSING, PHONE_MALFORMED = 0.05, 0.065
SHOP_ID = 0.60
TWICE = 0.02
SAYS_YES, SAYS_NO = 0.62, 0.85
NO_COUNTRY = 0.10
GENRES = ("Jazz", "Rock", "Pop, Soul & R'n'B", 'Songs for "late hours"', "古典音乐", "粤语流行", "Folk", "")
STAGES = ("customer", "customer", "customer", "opportunity", "subscriber", "evangelist")
BAD = ("too_few_fields",) * 6 + ("bad_timestamp",) * 3 + ("missing_value",) * 3
BASIS = {"Yes": "Freely given consent from contact", "No": "Not applicable", "": ""}
_END = dt.datetime(1998, 6, 30, 18)  # noqa: DTZ001 - HubSpot's export writes no zone


@dataclass(slots=True)
class Contact:
    """One row to be. `email` and `phone` are as typed, `clean_*` what they mean (None: nothing)."""

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
    contacts = [c for p in truth.people if p.in_hubspot for c in _contacts(rng, p, truth)]
    contacts.sort(key=lambda c: (c.created, c.person.shop_id))
    rows: list[tuple[list[str], str | None]] = []
    record_id = 101
    for contact in contacts:
        record_id += 50 * rng.randint(1, 3)
        _note(truth, str(record_id), contact)
        rows.append((_row(rng, str(record_id), contact), None))
    good = [row for row, _ in rows]
    for code in BAD if good else ():
        record_id += 50
        broken = _break(rng, [str(record_id), *rng.choice(good)[1:]], code)
        rows.insert(rng.randrange(len(rows) + 1), (broken, code))
    path = folder / FILE
    write_csv(path, HEADER, (row for row, _ in rows), quote_all=False)
    truth.bad_rows(FILE, (code for _, code in rows))
    return SampleFile("hubspot", "contacts", path, len(rows))


def _contacts(rng: random.Random, person: Person, truth: Truth) -> Iterator[Contact]:
    joined = dt.datetime.fromisoformat(person.joined)
    created = joined + dt.timedelta(days=rng.randrange(60), minutes=rng.randrange(8 * 60, 20 * 60))
    answer = rng.random()
    consent = "Yes" if answer < SAYS_YES else "No" if answer < SAYS_NO else ""
    consent_day = (created + dt.timedelta(days=rng.randrange(10, 300))).date()
    email, clean_email = _email(rng, person.email)
    phone, clean_phone = _phone(rng, person.phone)
    modified = dt.datetime.combine(consent_day, created.time()) + dt.timedelta(days=rng.randrange(30))
    contact = Contact(
        person=person,
        email=email,
        clean_email=clean_email,
        phone=phone,
        clean_phone=clean_phone,
        shop_id=person.shop_id if rng.random() < SHOP_ID else "",
        consent=consent,
        consent_day=consent_day.isoformat() if consent else "",
        created=created,
        modified=modified,
        genre=rng.choice(GENRES),
        stage=rng.choice(STAGES),
    )
    yield contact
    if rng.random() < TWICE and (clean_email or clean_phone):
        truth.count("hubspot", "duplicates")
        yield _again(rng, contact)


def _again(rng: random.Random, first: Contact) -> Contact:
    """Return the same person entered once more, later: the same e-mail in other case, or the same phone."""
    person = first.person
    later = min(first.created + dt.timedelta(days=rng.randrange(20, 200), minutes=rng.randrange(90)), _END)
    same_word = rng.choice((first.consent, ""))
    again = replace(
        first,
        shop_id="",
        created=later,
        modified=max(first.modified, later),
        consent=same_word,
        consent_day=first.consent_day if same_word else "",
    )
    by_email = first.clean_email and (rng.choice((True, False)) or not first.clean_phone)
    if by_email:
        return replace(
            again, email=person.email.upper(), clean_email=person.email, phone="", clean_phone=None
        )
    phone = typed_phone(rng, person.phone)
    return replace(
        again, email=person.other_email, clean_email=person.other_email, phone=phone, clean_phone=person.phone
    )


def _email(rng: random.Random, email: str) -> tuple[str, str | None]:
    draw = rng.random()
    if draw < EMAIL_MISSING:
        return "", None
    if draw < EMAIL_MALFORMED:
        return rng.choice(MALFORMED_EMAILS), None
    if draw < EMAIL_UPPER:
        return email.upper(), email
    if draw < EMAIL_PADDED:
        return f"  {email} ", email
    return email, email


def _phone(rng: random.Random, phone: str) -> tuple[str, str | None]:
    draw = rng.random()
    if draw < PHONE_MISSING:
        return "", None
    if draw < PHONE_MALFORMED:
        return rng.choice(MALFORMED_PHONES), None
    return typed_phone(rng, phone), phone


def _note(truth: Truth, record_id: str, contact: Contact) -> None:
    carried = (contact.clean_email, contact.clean_phone, contact.shop_id or None)
    truth.record(contact.person, Record("hubspot", record_id, *carried))
    if contact.consent:
        status: Status = "granted" if contact.consent == "Yes" else "denied"
        truth.state(contact.person, Statement("hubspot", record_id, status, contact.consent_day))
    truth.count("hubspot", "contacts")
    for name, counts in {
        "missing_emails": not contact.email,
        "malformed_emails": contact.email in MALFORMED_EMAILS,
        "upper_case_emails": contact.email.isupper(),
        "padded_emails": contact.email != contact.email.strip(),
        "missing_phones": not contact.phone,
        "malformed_phones": contact.phone in MALFORMED_PHONES,
        "shop_ids": bool(contact.shop_id),
        f"consent_{contact.consent or 'blank'}".lower(): True,
    }.items():
        truth.count("hubspot", name, int(counts))


def _row(rng: random.Random, record_id: str, contact: Contact) -> list[str]:
    person = contact.person
    # only a phone with its prefix can do without a country
    no_country = rng.random() < NO_COUNTRY and contact.phone.startswith("+")
    return [
        record_id,
        person.name.given,
        person.name.family,
        contact.email,
        contact.phone,
        contact.shop_id,
        contact.stage,
        BASIS[contact.consent],
        contact.consent,
        contact.consent_day,
        "zh-cn" if person.chinese else "en",
        person.city,
        "" if no_country else person.country,
        f"{contact.created:%Y-%m-%d %H:%M}",
        f"{contact.modified:%Y-%m-%d %H:%M}",
        GENERATED,
        contact.genre,
    ]


def _break(rng: random.Random, row: list[str], code: str) -> list[str]:
    if code == "too_few_fields":
        return row[: rng.randint(3, len(HEADER) - 4)]
    if code == "bad_timestamp":
        row[HEADER.index("Create Date")] = rng.choice(("31.31.1997", "1997-02-30 25:61", "yesterday"))
    else:
        row[0] = ""
    return row
