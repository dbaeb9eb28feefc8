"""Salesforce's Data Export: API names as headers, every value quoted, times in UTC without a zone, 1 and 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.plants import CHANNELS, LOSS_REASONS
from lakehouse.sample.company.random_arrays import Flags, Ints
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import KINDS, LOST, OPEN, WON
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, QUOTED, Dirt, Export
from lakehouse.sample.company.writers.part import (
    Part,
    emails,
    family_names,
    first_contacts,
    full_names,
    given_names,
    held_by,
    last_stages,
    or_null,
    phones,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk

_STAGES = (
    "Prospecting",
    "Qualification",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)
_PERCENT = ("10", "25", "65", "80", "100", "0")
_CITIES = [place.name for place in CITIES]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what Salesforce writes of the customers whose office works with it."""
    part = held_by(chunk, "salesforce")
    if part.none:
        return
    if part.begins_team:
        yield _users(part)
    yield _contacts(part)
    yield _leads(part)
    yield _opportunities(part)
    yield _opportunity_history(part)
    meets = part.of("activities", "kind") == KINDS.index("meeting")
    yield _tasks(part.only("activities", ~meets))
    yield _events(part.only("activities", meets))
    yield _cases(part)


def _flag(flags: Flags) -> pa.Array:
    return text_columns.pick(("0", "1"), flags.astype(np.int64))


def _stamps(created: Ints, updated: Ints) -> dict[str, pa.Array]:
    changed = text_columns.utc(updated)
    return {"CreatedDate": text_columns.utc(created), "LastModifiedDate": changed, "SystemModstamp": changed}


def _owner(part: Part, table: str, by: str = "owner") -> pa.Array:
    return ids.salesforce("users", part.user(table, "user_id", by))


def _contact_ids(part: Part, contact: Ints) -> pa.Array:
    return or_null(ids.salesforce("contacts", part.chunk.texts("contacts", "contact_id")), contact)


def _users(part: Part) -> Export:
    chunk = part.chunk
    count, start = len(chunk.tables["staff"]), np.full(len(chunk.tables["staff"]), chunk.frame.history.zero)
    email = chunk.texts("staff", "email")
    columns = {
        "Id": ids.salesforce("users", chunk.texts("staff", "user_id")),
        "Username": email,
        "Name": chunk.texts("staff", "name"),
        "Email": email,
        "Department": chunk.texts("staff", "team"),
        "Title": chunk.texts("staff", "role"),
        "IsActive": _flag(chunk.of("staff", "active")),
        "TimeZoneSidKey": pa.repeat("Asia/Shanghai", count),
        **_stamps(start, start),
    }
    return Export("salesforce/users", pa.table(columns), form=QUOTED)


def _contacts(part: Part) -> Export:
    """Return contacts; Salesforce has a field for a refusal alone."""
    city = part.chunk.of("persons", "city")[part.of("contacts", "row")]
    refused = pc.equal(part.texts("contacts", "consent"), "no").to_numpy(zero_copy_only=False)
    dirt = Dirt(part.chunk, "salesforce/contacts")
    columns = {
        "Id": ids.salesforce("contacts", part.texts("contacts", "contact_id")),
        "IsDeleted": pa.repeat("0", len(city)),
        "LastName": family_names(part),
        "FirstName": dirt.words("FirstName", given_names(part)),
        "MailingStreet": part.persons("contacts", "address"),
        "MailingCity": dirt.words("MailingCity", text_columns.pick(_CITIES, city)),
        "MailingState": text_columns.pick([place.province for place in CITIES], city),
        "MailingCountry": pa.repeat("China", len(city)),
        "MobilePhone": dirt.phones("MobilePhone", phones(part)),
        "Email": dirt.emails("Email", emails(part)),
        "LeadSource": pa.repeat(GENERATED, len(city)),
        "OwnerId": _owner(part, "contacts"),
        "HasOptedOutOfEmail": _flag(refused),
        **_stamps(part.of("contacts", "created_at"), part.of("contacts", "updated_at")),
    }
    return dirt.export(columns, part.of("contacts", "person"), QUOTED)


def _leads(part: Part) -> Export:
    status, created = part.texts("leads", "status"), part.of("leads", "created_at")
    converted = pc.equal(status, "converted").to_numpy(zero_copy_only=False)
    contact = np.where(converted, first_contacts(part.chunk, part.of("leads", "row")), -1)
    named = {"converted": "Closed - Converted", "contacted": "Working - Contacted"}
    labels = [*named.values(), "Closed - Not Converted"]
    of = pc.fill_null(pc.index_in(status, pa.array(list(named))), len(named))
    dirt = Dirt(part.chunk, "salesforce/leads")
    columns = {
        "Id": ids.salesforce("leads", part.texts("leads", "lead_id")),
        "IsDeleted": pa.repeat("0", len(created)),
        "LastName": part.persons("leads", "family"),
        "FirstName": text_columns.joined(
            part.persons("leads", "given_first"), part.persons("leads", "given_second")
        ),
        "Name": dirt.words("Name", full_names(part, "leads")),
        "City": text_columns.pick(_CITIES, part.chunk.of("persons", "city")[part.of("leads", "row")]),
        "MobilePhone": dirt.phones("MobilePhone", part.persons("leads", "phone")),
        "LeadSource": text_columns.pick(CHANNELS, part.of("leads", "channel")),
        "Status": text_columns.pick(labels, of.to_numpy(zero_copy_only=False)),
        "OwnerId": _owner(part, "leads"),
        "HasOptedOutOfEmail": pa.repeat("0", len(created)),
        "IsConverted": _flag(converted),
        "ConvertedDate": text_columns.blank(text_columns.days(created - text_columns.UTC_OFFSET), ~converted),
        "ConvertedContactId": _contact_ids(part, contact),
        **_stamps(created, created),
    }
    return dirt.export(columns, part.of("leads", "person"), QUOTED)


def _opportunities(part: Part) -> Export:
    rows, outcome = part.rows("deals"), part.of("deals", "outcome")
    stage = last_stages(part.chunk)[rows]
    created, closed = part.of("deals", "created_at"), part.of("deals", "closed_at")
    columns = {
        "Id": ids.salesforce("deals", part.texts("deals", "deal_id")),
        "IsDeleted": pa.repeat("0", len(rows)),
        "ContactId": _contact_ids(part, part.of("deals", "contact")),
        "Name": text_columns.joined(part.texts("deals", "product"), " ", part.texts("deals", "deal_id")),
        "StageName": text_columns.pick(_STAGES, stage),
        "Amount": text_columns.money(part.of("deals", "amount")),
        "Probability": text_columns.pick(_PERCENT, stage),
        "CloseDate": text_columns.days(closed - text_columns.UTC_OFFSET),
        "LeadSource": text_columns.pick(CHANNELS, part.of("deals", "channel")),
        "IsClosed": _flag(outcome != OPEN),
        "IsWon": _flag(outcome == WON),
        "CurrencyIsoCode": pa.repeat("CNY", len(rows)),
        "OwnerId": _owner(part, "deals"),
        "Loss_Reason__c": text_columns.blank(
            text_columns.pick(LOSS_REASONS, np.maximum(part.of("deals", "reason"), 0)), outcome != LOST
        ),
        **_stamps(created, np.where(outcome == OPEN, created, closed)),
    }
    return Export("salesforce/opportunities", pa.table(columns), part.of("deals", "person"), form=QUOTED)


def _opportunity_history(part: Part) -> Export:
    """Return an entry for each stage that an opportunity entered."""
    chunk, deal, stage = part.chunk, part.of("stages", "deal"), part.of("stages", "stage")
    ids_of_deals, entered = chunk.texts("deals", "deal_id", deal), part.of("stages", "entered_at")
    step = text_columns.plain(part.of("stages", "step"))
    columns = {
        "Id": ids.salesforce(
            "stages", text_columns.joined("D", step, pc.utf8_slice_codeunits(ids_of_deals, 1))
        ),
        "IsDeleted": pa.repeat("0", len(deal)),
        "OpportunityId": ids.salesforce("deals", ids_of_deals),
        "CreatedById": ids.salesforce(
            "users", chunk.texts("staff", "user_id", chunk.of("deals", "owner")[deal])
        ),
        "CreatedDate": text_columns.utc(entered),
        "StageName": text_columns.pick(_STAGES, stage),
        "Amount": text_columns.money(chunk.of("deals", "amount")[deal]),
        "Probability": text_columns.pick(_PERCENT, stage),
        "CurrencyIsoCode": pa.repeat("CNY", len(deal)),
        "SystemModstamp": text_columns.utc(entered),
    }
    place = "salesforce/opportunity_history"
    return Export(place, pa.table(columns), part.of("stages", "person"), form=QUOTED)


def _about(part: Part) -> dict[str, pa.Array]:
    deals = ids.salesforce("deals", part.chunk.texts("deals", "deal_id"))
    return {
        "IsDeleted": pa.repeat("0", len(part.rows("activities"))),
        "WhoId": _contact_ids(part, part.of("activities", "contact")),
        "WhatId": or_null(deals, part.of("activities", "deal")),
        "OwnerId": _owner(part, "activities"),
        "Description": part.texts("activities", "note"),
    }


def _tasks(part: Part) -> Export:
    """Return calls and e-mails that were logged; a note is a task that was done."""
    kind, at = part.of("activities", "kind"), part.of("activities", "at")
    calls = kind == KINDS.index("call")
    columns = {
        "Id": ids.salesforce("activities", part.texts("activities", "activity_id")),
        **_about(part),
        "Subject": text_columns.pick(("Call", "Email", "Meeting", "Note"), kind),
        "ActivityDate": text_columns.days(at - text_columns.UTC_OFFSET),
        "Status": pa.repeat("Completed", len(at)),
        "Priority": pa.repeat("Normal", len(at)),
        "IsClosed": pa.repeat("1", len(at)),
        "CallDurationInSeconds": text_columns.blank(
            text_columns.plain(part.of("activities", "minutes") * 60), ~calls
        ),
        "CallType": text_columns.blank(pa.repeat("Outbound", len(at)), ~calls),
        "TaskSubtype": text_columns.pick(("Call", "Email", "Task", "Task"), kind),
        "CompletedDateTime": text_columns.utc(at),
        **_stamps(at, at),
    }
    return Export("salesforce/tasks", pa.table(columns), part.of("activities", "person"), form=QUOTED)


def _events(part: Part) -> Export:
    at, minutes = part.of("activities", "at"), part.of("activities", "minutes")
    columns = {
        "Id": ids.salesforce("meetings", part.texts("activities", "activity_id")),
        **_about(part),
        "Subject": pa.repeat("Meeting", len(at)),
        "IsAllDayEvent": pa.repeat("0", len(at)),
        "DurationInMinutes": text_columns.plain(minutes),
        "StartDateTime": text_columns.utc(at),
        "EndDateTime": text_columns.utc(at + minutes * 60),
        "Type": pa.repeat("Meeting", len(at)),
        **_stamps(at, at),
    }
    return Export("salesforce/events", pa.table(columns), part.of("activities", "person"), form=QUOTED)


def _cases(part: Part) -> Export:
    chunk, open_ = part.chunk, part.of("tickets", "open")
    complaint = part.of("tickets", "complaint").astype(np.int64)
    satisfaction = part.of("tickets", "satisfaction")
    created, resolved = part.of("tickets", "created_at"), part.of("tickets", "resolved_at")
    contact = first_contacts(chunk, part.of("tickets", "row"))
    dirt = Dirt(chunk, "salesforce/cases")
    columns = {
        "Id": ids.salesforce("tickets", part.texts("tickets", "ticket_id")),
        "IsDeleted": pa.repeat("0", len(open_)),
        "ContactId": _contact_ids(part, contact),
        "SuppliedPhone": text_columns.blank(part.persons("tickets", "phone"), contact >= 0),
        "Type": text_columns.pick(("question", "complaint"), complaint),
        "Status": text_columns.pick(("Closed", "New"), open_.astype(np.int64)),
        "Origin": pa.repeat("Web", len(open_)),
        "Subject": part.texts("tickets", "subject"),
        "Priority": text_columns.pick(("Medium", "High"), complaint),
        "IsClosed": _flag(~open_),
        "ClosedDate": text_columns.blank(text_columns.utc(resolved), open_),
        "OwnerId": _owner(part, "tickets", "agent"),
        "Order_Number__c": chunk.texts("orders", "order_id", part.of("tickets", "order")),
        "Satisfaction__c": text_columns.blank(text_columns.plain(satisfaction), satisfaction == 0),
        **_stamps(created, np.where(open_, created, resolved)),
    }
    return dirt.export(columns, part.of("tickets", "person"), QUOTED)
