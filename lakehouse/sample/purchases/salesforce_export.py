"""Salesforce's Data Export: contacts that overlap with HubSpot's, their accounts and opportunities, and its users."""

from __future__ import annotations

import datetime as dt
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.sample.purchases.addresses import typed_phone
from lakehouse.sample.purchases.files import SampleFile, columns, write_csv
from lakehouse.sample.purchases.hubspot_export import GENERATED
from lakehouse.sample.purchases.policy import SalesforcePolicy
from lakehouse.sample.purchases.truth import Record, Statement
from lakehouse.sample.salesforce_ids import case_suffix

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
    "LeadSource,CreatedDate,LastModifiedDate,OwnerId"
)
ACCOUNT_HEADER = columns(
    "Id,IsDeleted,Name,Type,BillingCity,BillingCountry,AccountSource,OwnerId,CreatedDate,LastModifiedDate"
)
USER_HEADER = columns("Id,Username,Name,Email,Department,Title,IsActive,CreatedDate,LastModifiedDate")
SALESPEOPLE = (
    "Dana Whitfield",
    "Marcus Oyelaran",
    "Priya Nambiar",
    "Tomas Lindqvist",
    "Grace Odhiambo",
    "Leo Castellano",
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

_FIRST_MOMENT = dt.datetime(1996, 12, 2, 9)  # noqa: DTZ001 - written as UTC; before the first purchases
_LAST_MOMENT = dt.datetime(1998, 6, 30, 17)  # noqa: DTZ001 - written as UTC
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


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
    """Return an 18-character id: 3 of the object type, 12 of the record, 3 that say which letters are capitals."""
    digits = ""
    for _ in range(7):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    short_id = f"{prefix}5g000{digits}"
    return short_id + case_suffix(short_id)


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
    write_csv(path, CONTACT_HEADER, (_row(rng, contact) for contact in contacts), quote_all=True)
    return SampleFile("salesforce", "contacts", path, len(contacts)), contacts


def _contact(rng: random.Random, person: Person, number: int, truth: Truth) -> Contact:
    known = truth.known[person.shop_id]
    shares_phone = person.phone in known.phones and (
        rng.random() >= SalesforcePolicy.by_email or person.email not in known.emails
    )
    opted_out, created, modified = _history(rng, person, truth)
    phone_as_typed = typed_phone(rng, person.phone)
    # the one identifier that ties the row to HubSpot's must be in it: the phone, or else the e-mail
    return Contact(
        person=person,
        record_id=salesforce_id("003", number),
        account_id=salesforce_id("001", number + rng.randint(1, 10_000)),
        email=person.other_email if shares_phone else _email_in_any_case(rng, person.email),
        mobile=phone_as_typed if shares_phone or rng.random() >= SalesforcePolicy.no_mobile else "",
        phone=_second_phone(rng, person) if shares_phone else "",
        loyalty=person.shop_id if rng.random() < SalesforcePolicy.loyalty else "",
        opted_out=opted_out,
        created=created,
        modified=modified,
    )


def _email_in_any_case(rng: random.Random, email: str) -> str:
    change_case = rng.choice((str.upper, str.title, str.lower))
    return change_case(email)


def _second_phone(rng: random.Random, person: Person) -> str:
    return typed_phone(rng, person.phone) if rng.random() < SalesforcePolicy.second_phone else ""


def _history(rng: random.Random, person: Person, truth: Truth) -> tuple[bool, dt.datetime, dt.datetime]:
    """Return whether the person opted out, and when the row was created and modified.

    After a yes in HubSpot an opt-out is later than the yes. After a no there, a row without opt-out is
    older than the no, so that no reading of it overrules the no.
    """
    joined = dt.datetime.fromisoformat(person.joined)
    statements = [said for said in truth.known[person.shop_id].statements if said.source == "hubspot"]
    created = joined + dt.timedelta(days=rng.randrange(4), seconds=rng.randrange(8 * 3600, 20 * 3600))
    delay = dt.timedelta(days=rng.randrange(1, 400), seconds=rng.randrange(3600))
    modified = min(created + delay, _LAST_MOMENT)
    draw = rng.random()
    if not statements:
        return draw < SalesforcePolicy.opted_out, created, modified
    last_statement = dt.datetime.fromisoformat(max(statement.day for statement in statements))
    if any(statement.status == "granted" for statement in statements):
        delay = dt.timedelta(days=rng.randrange(2, 90), seconds=rng.randrange(3600))
        if draw < SalesforcePolicy.opted_out_after_yes:
            return True, created, min(last_statement + delay, _LAST_MOMENT)
        return False, created, modified
    if draw < SalesforcePolicy.opted_out_after_no:
        return True, created, modified
    return False, created, created + dt.timedelta(days=rng.randrange(3), seconds=rng.randrange(3600))


def _note(truth: Truth, contact: Contact) -> None:
    """Note a contact in the truth; a statement that nobody opted out is a default, not a consent."""
    person = contact.person
    known = truth.known[person.shop_id]
    truth.count("salesforce", "contacts")
    truth.count("salesforce", "opted_out", int(contact.opted_out))
    truth.count("salesforce", "also_in_hubspot", int(bool(known.records["hubspot"])))
    truth.count("salesforce", "opted_out_after_yes", int(contact.opted_out and known.consent == "granted"))
    phone = person.phone if contact.mobile else None
    record = Record("salesforce", contact.record_id, contact.email.lower(), phone, contact.loyalty or None)
    truth.note_record(person, record)
    status: Status = "denied" if contact.opted_out else "not_opted_out"
    day = contact.modified.date().isoformat()
    truth.note_statement(person, Statement("salesforce", contact.record_id, status, day))


def _row(rng: random.Random, contact: Contact) -> list[str]:
    person, name = contact.person, contact.person.name
    in_pinyin = person.chinese and rng.random() < SalesforcePolicy.pinyin
    return [
        contact.record_id,
        "false",
        contact.account_id,
        name.latin_family.title() if in_pinyin else name.family,
        name.latin_given.title() if in_pinyin else name.given,
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


def write_accounts(folder: Path, contacts: list[Contact]) -> SampleFile:
    """Write `salesforce/accounts`: the household of each contact; where several share one, the first names it."""
    first_contacts: dict[str, Contact] = {}
    for contact in contacts:
        first_contacts.setdefault(contact.account_id, contact)
    rows = [_account(contact, number) for number, contact in enumerate(first_contacts.values())]
    path = folder / "salesforce_accounts.csv"
    write_csv(path, ACCOUNT_HEADER, rows, quote_all=True)
    return SampleFile("salesforce", "accounts", path, len(rows))


def _account(contact: Contact, number: int) -> list[str]:
    """Return the row of a household. It has no phone or e-mail of its own, so it says of nobody who they are."""
    person = contact.person
    created = _stamp(contact.created)
    household = f"{person.name.family} Household"
    where = [person.city, person.country]
    return [
        contact.account_id,
        "false",
        household,
        "Household",
        *where,
        GENERATED,
        _owner(number),
        created,
        created,
    ]


def write_users(folder: Path) -> SampleFile:
    """Write `salesforce/users`: the salespeople."""
    rows = [_user(name, number) for number, name in enumerate(SALESPEOPLE)]
    path = folder / "salesforce_users.csv"
    write_csv(path, USER_HEADER, rows, quote_all=True)
    return SampleFile("salesforce", "users", path, len(rows))


def _user(name: str, number: int) -> list[str]:
    email = f"{name.lower().replace(' ', '.')}@sales.example"
    since = _stamp(_FIRST_MOMENT)
    return [_owner(number), email, name, email, "Sales", GENERATED, "true", since, since]


def _owner(number: int) -> str:
    """Return the id of the salesperson who looks after record `number`: they take turns."""
    return salesforce_id("005", 9_000_000_000 + number % len(SALESPEOPLE))


def write_opportunities(folder: Path, rng: random.Random, contacts: list[Contact]) -> SampleFile:
    """Write `salesforce/opportunities`: one for about every twentieth contact."""
    count = len(contacts) // SalesforcePolicy.contacts_a_deal
    rows = [_opportunity(rng, rng.choice(contacts), number) for number in range(count)]
    path = folder / "salesforce_opportunities.csv"
    write_csv(path, OPPORTUNITY_HEADER, rows, quote_all=True)
    return SampleFile("salesforce", "opportunities", path, len(rows))


def _opportunity(rng: random.Random, contact: Contact, number: int) -> list[str]:
    stage = rng.choice(list(STAGES))
    is_closed = stage.startswith("Closed")
    latest = _LAST_MOMENT - dt.timedelta(days=40)
    created = min(contact.created + dt.timedelta(days=rng.randrange(200)), latest)
    modified = created + dt.timedelta(days=rng.randrange(1, 30))
    close_day = modified.date()
    if not is_closed:
        close_day = dt.date(1998, 7, 1) + dt.timedelta(days=rng.randrange(90))
    return [
        salesforce_id("006", 7_000_000_000 + 37 * number),
        contact.account_id,
        contact.record_id,
        f"{rng.choice(DEALS)} – {contact.person.name.family}",
        stage,
        f"{rng.randrange(2_000, 250_000) / 100:.2f}",
        "USD",
        close_day.isoformat(),
        str(is_closed).lower(),
        str(stage == "Closed Won").lower(),
        str(STAGES[stage]),
        GENERATED,
        _stamp(created),
        _stamp(modified),
        _owner(number),
    ]


def _stamp(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
