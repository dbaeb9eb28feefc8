"""Salesforce's Data Export: contacts that overlap with HubSpot's, and their opportunities."""

from __future__ import annotations

import datetime as dt
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.sample.purchases.addresses import typed_phone
from lakehouse.sample.purchases.files import SampleFile, columns, write_csv
from lakehouse.sample.purchases.hubspot_export import GENERATED
from lakehouse.sample.purchases.truth import Record, Statement

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from lakehouse.sample.purchases.people import Person
    from lakehouse.sample.purchases.truth import Status, Truth

CONTACT_HEADER = columns(
    "Id,IsDeleted,AccountId,LastName,FirstName,Email,Phone,MobilePhone,MailingCity,MailingCountry,"
    "HasOptedOutOfEmail,LeadSource,Loyalty_Number__c,CreatedDate,LastModifiedDate"
)
OPPORTUNITY_HEADER = columns(
    "Id,AccountId,ContactId,Name,StageName,Amount,CurrencyIsoCode,CloseDate,IsClosed,IsWon,Probability,"
    "LeadSource,CreatedDate,LastModifiedDate"
)
STAGES = {  # stage: probability in per cent
    "Prospecting": 10,
    "Qualification": 20,
    "Proposal/Price Quote": 65,
    "Negotiation/Review": 80,
    "Closed Won": 100,
    "Closed Lost": 0,
}
DEALS = (
    "Gift cards",
    "Wedding playlist",
    "Shop window music",
    "Office radio",
    "Collector's box",
    "School library",
)

BY_EMAIL = 0.60  # the rest shares a phone with HubSpot and has another e-mail
NO_MOBILE = 0.50
PHONE_TOO = 0.20
LOYALTY = 0.30
PINYIN = 0.50
OPTED_OUT = 0.12
OPTED_OUT_AFTER_YES = 0.05
OPTED_OUT_AFTER_NO = 0.70
CONTACTS_A_DEAL = 20
_END = dt.datetime(1998, 6, 30, 17)  # noqa: DTZ001 - written as UTC
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECK = string.ascii_uppercase + "012345"


@dataclass(slots=True)
class Contact:
    """One row to be; phones as typed, empty when there is none."""

    person: Person
    record_id: str
    account_id: str
    email: str
    mobile: str
    phone: str
    loyalty: str
    opted_out: bool
    created: dt.datetime
    modified: dt.datetime


def salesforce_id(prefix: str, number: int) -> str:
    """Return an 18-character id: 3 of the object type, 12 of the record, 3 that check the letters' case."""
    digits = ""
    for _ in range(7):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    short = f"{prefix}5g000{digits}"
    check = ""
    for start in (0, 5, 10):
        bits = (c.isupper() << place for place, c in enumerate(short[start : start + 5]))
        check += _CHECK[sum(bits)]
    return short + check


def write_contacts(folder: Path, rng: random.Random, truth: Truth) -> tuple[SampleFile, list[Contact]]:
    """Write `salesforce/contacts` and note the truth; HubSpot's contacts must have been noted before."""
    number = 4_000_000_000
    contacts = []
    for person in truth.people:
        if person.in_salesforce:
            number += rng.randint(1, 400)
            contact = _contact(rng, person, number, truth)
            contacts.append(contact)
            _note(truth, contact)
    path = folder / "salesforce_contacts.csv"
    write_csv(path, CONTACT_HEADER, (_row(rng, c) for c in contacts), quote_all=True)
    return SampleFile("salesforce", "contacts", path, len(contacts)), contacts


def _contact(rng: random.Random, person: Person, number: int, truth: Truth) -> Contact:
    known = truth.known[person.shop_id]
    by_phone = person.phone in known.phones and (rng.random() >= BY_EMAIL or person.email not in known.emails)
    opted_out, created, modified = _history(rng, person, truth)
    typed = typed_phone(rng, person.phone)
    # a sole tie to HubSpot must stand in the row: the phone in one half, the e-mail in the other
    return Contact(
        person=person,
        record_id=salesforce_id("003", number),
        account_id=salesforce_id("001", number + rng.randint(1, 10_000)),
        email=person.other_email if by_phone else rng.choice((str.upper, str.title, str.lower))(person.email),
        mobile=typed if by_phone or rng.random() >= NO_MOBILE else "",
        phone=typed_phone(rng, person.phone) if by_phone and rng.random() < PHONE_TOO else "",
        loyalty=person.shop_id if rng.random() < LOYALTY else "",
        opted_out=opted_out,
        created=created,
        modified=modified,
    )


def _history(rng: random.Random, person: Person, truth: Truth) -> tuple[bool, dt.datetime, dt.datetime]:
    """Return whether the person opted out, and the row's two times.

    After a yes in HubSpot an opt-out is later than the yes. After a no there, a row without opt-out is
    older than the no, so that no reading of it overrules the no.
    """
    joined = dt.datetime.fromisoformat(person.joined)
    said = [s for s in truth.known[person.shop_id].statements if s.source == "hubspot"]
    created = joined + dt.timedelta(days=rng.randrange(4), seconds=rng.randrange(8 * 3600, 20 * 3600))
    later = min(created + dt.timedelta(days=rng.randrange(1, 400), seconds=rng.randrange(3600)), _END)
    draw = rng.random()
    if not said:
        return draw < OPTED_OUT, created, later
    spoken = dt.datetime.fromisoformat(max(s.day for s in said))
    if any(s.status == "granted" for s in said):
        opted_out = draw < OPTED_OUT_AFTER_YES
        after = min(spoken + dt.timedelta(days=rng.randrange(2, 90), seconds=rng.randrange(3600)), _END)
        return opted_out, created, after if opted_out else later
    if draw < OPTED_OUT_AFTER_NO:
        return True, created, later
    return False, created, created + dt.timedelta(days=rng.randrange(3), seconds=rng.randrange(3600))


def _note(truth: Truth, contact: Contact) -> None:
    person = contact.person
    known = truth.known[person.shop_id]
    truth.count("salesforce", "contacts")
    truth.count("salesforce", "opted_out", int(contact.opted_out))
    truth.count("salesforce", "also_in_hubspot", int(bool(known.records["hubspot"])))
    truth.count("salesforce", "opted_out_after_yes", int(contact.opted_out and known.consent == "granted"))
    phone = person.phone if contact.mobile else None
    carried = (contact.email.lower(), phone, contact.loyalty or None)
    truth.record(person, Record("salesforce", contact.record_id, *carried))
    status: Status = "denied" if contact.opted_out else "not_opted_out"
    day = contact.modified.date().isoformat()
    truth.state(person, Statement("salesforce", contact.record_id, status, day))


def _row(rng: random.Random, contact: Contact) -> list[str]:
    person, name = contact.person, contact.person.name
    pinyin = person.chinese and rng.random() < PINYIN
    return [
        contact.record_id,
        "false",
        contact.account_id,
        name.latin_family.title() if pinyin else name.family,
        name.latin_given.title() if pinyin else name.given,
        contact.email,
        contact.phone,
        contact.mobile,
        person.city,
        person.country,
        "true" if contact.opted_out else "false",
        GENERATED,
        contact.loyalty,
        _stamp(contact.created),
        _stamp(contact.modified),
    ]


def write_opportunities(folder: Path, rng: random.Random, contacts: list[Contact]) -> SampleFile:
    """Write `salesforce/opportunities`: one for about every twentieth contact."""
    rows = [
        _opportunity(rng, rng.choice(contacts), number) for number in range(len(contacts) // CONTACTS_A_DEAL)
    ]
    path = folder / "salesforce_opportunities.csv"
    write_csv(path, OPPORTUNITY_HEADER, rows, quote_all=True)
    return SampleFile("salesforce", "opportunities", path, len(rows))


def _opportunity(rng: random.Random, contact: Contact, number: int) -> list[str]:
    stage = rng.choice(list(STAGES))
    closed = stage.startswith("Closed")
    created = min(contact.created + dt.timedelta(days=rng.randrange(200)), _END - dt.timedelta(days=40))
    modified = created + dt.timedelta(days=rng.randrange(1, 30))
    close_day = modified.date() if closed else dt.date(1998, 7, 1) + dt.timedelta(days=rng.randrange(90))
    return [
        salesforce_id("006", 7_000_000_000 + 37 * number),
        contact.account_id,
        contact.record_id,
        f"{rng.choice(DEALS)} – {contact.person.name.family}",
        stage,
        f"{rng.randrange(2_000, 250_000) / 100:.2f}",
        "USD",
        close_day.isoformat(),
        str(closed).lower(),
        str(stage == "Closed Won").lower(),
        str(STAGES[stage]),
        GENERATED,
        _stamp(created),
        _stamp(modified),
    ]


def _stamp(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
