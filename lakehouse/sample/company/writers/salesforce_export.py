"""Salesforce's Data Export: API names as headers, every value quoted, times in UTC without a zone, 1 and 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS, LOSS_REASONS
from lakehouse.sample.company.random_arrays import Flags, Ints
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import KINDS, LOST, OPEN, WON
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, QUOTED, Dirt, Export
from lakehouse.sample.company.writers.system_records import (
    SystemRecords,
    emails,
    family_names,
    first_contacts,
    full_names,
    given_names,
    last_stages,
    or_null,
    phones,
    records_of,
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
    records = records_of(chunk, "salesforce")
    if records.is_empty:
        return
    if records.starts_team:
        yield _users(records)
    yield _contacts(records)
    yield _leads(records)
    yield _opportunities(records)
    yield _opportunity_history(records)
    meets = records.array("activities", "kind") == KINDS.index("meeting")
    yield _tasks(records.filtered("activities", ~meets))
    yield _events(records.filtered("activities", meets))
    yield _cases(records)


def _flag(flags: Flags) -> pa.Array:
    return text.either(flags, "1", "0")


def _stamps(created: Ints, updated: Ints) -> dict[str, pa.Array]:
    changed = text.utc(updated)
    return {"CreatedDate": text.utc(created), "LastModifiedDate": changed, "SystemModstamp": changed}


def _owner(records: SystemRecords, table: str, by: str = "owner") -> pa.Array:
    return ids.salesforce("users", records.user_column(table, "user_id", by))


def _contact_ids(records: SystemRecords, contact: Ints) -> pa.Array:
    return or_null(ids.salesforce("contacts", records.chunk.column("contacts", "contact_id")), contact)


def _users(records: SystemRecords) -> Export:
    chunk = records.chunk
    count, start = (
        len(chunk.tables["staff"]),
        np.full(len(chunk.tables["staff"]), chunk.scenario.history.zero),
    )
    email = chunk.column("staff", "email")
    columns = {
        "Id": ids.salesforce("users", chunk.column("staff", "user_id")),
        "Username": email,
        "Name": chunk.column("staff", "name"),
        "Email": email,
        "Department": chunk.column("staff", "team"),
        "Title": chunk.column("staff", "role"),
        "IsActive": _flag(chunk.array("staff", "active")),
        "TimeZoneSidKey": pa.repeat("Asia/Shanghai", count),
        **_stamps(start, start),
    }
    return Export("salesforce/users", pa.table(columns), form=QUOTED)


def _contacts(records: SystemRecords) -> Export:
    """Return contacts; Salesforce has a field for a refusal alone."""
    city = records.chunk.array("persons", "city")[records.array("contacts", "row")]
    refused = pc.equal(records.column("contacts", "consent"), "no").to_numpy(zero_copy_only=False)
    dirt = Dirt(records.chunk, "salesforce/contacts")
    columns = {
        "Id": ids.salesforce("contacts", records.column("contacts", "contact_id")),
        "IsDeleted": pa.repeat("0", len(city)),
        "LastName": family_names(records),
        "FirstName": dirt.words("FirstName", given_names(records)),
        "MailingStreet": records.person_column("contacts", "address"),
        "MailingCity": dirt.words("MailingCity", text.pick(_CITIES, city)),
        "MailingState": text.pick([place.province for place in CITIES], city),
        "MailingCountry": pa.repeat("China", len(city)),
        "MobilePhone": dirt.phones("MobilePhone", phones(records)),
        "Email": dirt.emails("Email", emails(records)),
        "LeadSource": pa.repeat(GENERATED, len(city)),
        "OwnerId": _owner(records, "contacts"),
        "HasOptedOutOfEmail": _flag(refused),
        **_stamps(records.array("contacts", "created_at"), records.array("contacts", "updated_at")),
    }
    return dirt.export(columns, records.array("contacts", "person"), QUOTED)


def _leads(records: SystemRecords) -> Export:
    status, created = records.column("leads", "status"), records.array("leads", "created_at")
    converted = pc.equal(status, "converted").to_numpy(zero_copy_only=False)
    contact = np.where(converted, first_contacts(records.chunk, records.array("leads", "row")), -1)
    named = {"converted": "Closed - Converted", "contacted": "Working - Contacted"}
    labels = [*named.values(), "Closed - Not Converted"]
    of = pc.fill_null(pc.index_in(status, pa.array(list(named))), len(named))
    dirt = Dirt(records.chunk, "salesforce/leads")
    columns = {
        "Id": ids.salesforce("leads", records.column("leads", "lead_id")),
        "IsDeleted": pa.repeat("0", len(created)),
        "LastName": records.person_column("leads", "family"),
        "FirstName": text.joined(
            records.person_column("leads", "given_first"), records.person_column("leads", "given_second")
        ),
        "Name": dirt.words("Name", full_names(records, "leads")),
        "City": text.pick(_CITIES, records.chunk.array("persons", "city")[records.array("leads", "row")]),
        "MobilePhone": dirt.phones("MobilePhone", records.person_column("leads", "phone")),
        "LeadSource": text.pick(CHANNELS, records.array("leads", "channel")),
        "Status": text.pick(labels, of.to_numpy(zero_copy_only=False)),
        "OwnerId": _owner(records, "leads"),
        "HasOptedOutOfEmail": pa.repeat("0", len(created)),
        "IsConverted": _flag(converted),
        "ConvertedDate": text.null_where(text.days(created - text.UTC_OFFSET), ~converted),
        "ConvertedContactId": _contact_ids(records, contact),
        **_stamps(created, created),
    }
    return dirt.export(columns, records.array("leads", "person"), QUOTED)


def _opportunities(records: SystemRecords) -> Export:
    rows, outcome = records.row_numbers("deals"), records.array("deals", "outcome")
    stage = last_stages(records.chunk)[rows]
    created, closed = records.array("deals", "created_at"), records.array("deals", "closed_at")
    columns = {
        "Id": ids.salesforce("deals", records.column("deals", "deal_id")),
        "IsDeleted": pa.repeat("0", len(rows)),
        "ContactId": _contact_ids(records, records.array("deals", "contact")),
        "Name": text.joined(records.column("deals", "product"), " ", records.column("deals", "deal_id")),
        "StageName": text.pick(_STAGES, stage),
        "Amount": text.money(records.array("deals", "amount")),
        "Probability": text.pick(_PERCENT, stage),
        "CloseDate": text.days(closed - text.UTC_OFFSET),
        "LeadSource": text.pick(CHANNELS, records.array("deals", "channel")),
        "IsClosed": _flag(outcome != OPEN),
        "IsWon": _flag(outcome == WON),
        "CurrencyIsoCode": pa.repeat("CNY", len(rows)),
        "OwnerId": _owner(records, "deals"),
        "Loss_Reason__c": text.null_where(
            text.pick(LOSS_REASONS, np.maximum(records.array("deals", "reason"), 0)), outcome != LOST
        ),
        **_stamps(created, np.where(outcome == OPEN, created, closed)),
    }
    return Export(
        "salesforce/opportunities", pa.table(columns), records.array("deals", "person"), form=QUOTED
    )


def _opportunity_history(records: SystemRecords) -> Export:
    """Return an entry for each stage that an opportunity entered."""
    chunk, deal, stage = records.chunk, records.array("stages", "deal"), records.array("stages", "stage")
    ids_of_deals, entered = chunk.column("deals", "deal_id", deal), records.array("stages", "entered_at")
    step = text.integers(records.array("stages", "step"))
    columns = {
        "Id": ids.salesforce("stages", text.joined("D", step, pc.utf8_slice_codeunits(ids_of_deals, 1))),
        "IsDeleted": pa.repeat("0", len(deal)),
        "OpportunityId": ids.salesforce("deals", ids_of_deals),
        "CreatedById": ids.salesforce(
            "users", chunk.column("staff", "user_id", chunk.array("deals", "owner")[deal])
        ),
        "CreatedDate": text.utc(entered),
        "StageName": text.pick(_STAGES, stage),
        "Amount": text.money(chunk.array("deals", "amount")[deal]),
        "Probability": text.pick(_PERCENT, stage),
        "CurrencyIsoCode": pa.repeat("CNY", len(deal)),
        "SystemModstamp": text.utc(entered),
    }
    place = "salesforce/opportunity_history"
    return Export(place, pa.table(columns), records.array("stages", "person"), form=QUOTED)


def _about(records: SystemRecords) -> dict[str, pa.Array]:
    deals = ids.salesforce("deals", records.chunk.column("deals", "deal_id"))
    return {
        "IsDeleted": pa.repeat("0", len(records.row_numbers("activities"))),
        "WhoId": _contact_ids(records, records.array("activities", "contact")),
        "WhatId": or_null(deals, records.array("activities", "deal")),
        "OwnerId": _owner(records, "activities"),
        "Description": records.column("activities", "note"),
    }


def _tasks(records: SystemRecords) -> Export:
    """Return calls and e-mails that were logged; a note is a task that was done."""
    kind, at = records.array("activities", "kind"), records.array("activities", "at")
    calls = kind == KINDS.index("call")
    columns = {
        "Id": ids.salesforce("activities", records.column("activities", "activity_id")),
        **_about(records),
        "Subject": text.pick(("Call", "Email", "Meeting", "Note"), kind),
        "ActivityDate": text.days(at - text.UTC_OFFSET),
        "Status": pa.repeat("Completed", len(at)),
        "Priority": pa.repeat("Normal", len(at)),
        "IsClosed": pa.repeat("1", len(at)),
        "CallDurationInSeconds": text.null_where(
            text.integers(records.array("activities", "minutes") * 60), ~calls
        ),
        "CallType": text.null_where(pa.repeat("Outbound", len(at)), ~calls),
        "TaskSubtype": text.pick(("Call", "Email", "Task", "Task"), kind),
        "CompletedDateTime": text.utc(at),
        **_stamps(at, at),
    }
    return Export("salesforce/tasks", pa.table(columns), records.array("activities", "person"), form=QUOTED)


def _events(records: SystemRecords) -> Export:
    at, minutes = records.array("activities", "at"), records.array("activities", "minutes")
    columns = {
        "Id": ids.salesforce("meetings", records.column("activities", "activity_id")),
        **_about(records),
        "Subject": pa.repeat("Meeting", len(at)),
        "IsAllDayEvent": pa.repeat("0", len(at)),
        "DurationInMinutes": text.integers(minutes),
        "StartDateTime": text.utc(at),
        "EndDateTime": text.utc(at + minutes * 60),
        "Type": pa.repeat("Meeting", len(at)),
        **_stamps(at, at),
    }
    return Export("salesforce/events", pa.table(columns), records.array("activities", "person"), form=QUOTED)


def _cases(records: SystemRecords) -> Export:
    chunk, open_ = records.chunk, records.array("tickets", "open")
    complaint = records.array("tickets", "complaint").astype(np.int64)
    satisfaction = records.array("tickets", "satisfaction")
    created, resolved = records.array("tickets", "created_at"), records.array("tickets", "resolved_at")
    contact = first_contacts(chunk, records.array("tickets", "row"))
    dirt = Dirt(chunk, "salesforce/cases")
    columns = {
        "Id": ids.salesforce("tickets", records.column("tickets", "ticket_id")),
        "IsDeleted": pa.repeat("0", len(open_)),
        "ContactId": _contact_ids(records, contact),
        "SuppliedPhone": text.null_where(records.person_column("tickets", "phone"), contact >= 0),
        "Type": text.pick(("question", "complaint"), complaint),
        "Status": text.either(open_, "New", "Closed"),
        "Origin": pa.repeat("Web", len(open_)),
        "Subject": records.column("tickets", "subject"),
        "Priority": text.pick(("Medium", "High"), complaint),
        "IsClosed": _flag(~open_),
        "ClosedDate": text.null_where(text.utc(resolved), open_),
        "OwnerId": _owner(records, "tickets", "agent"),
        "Order_Number__c": chunk.column("orders", "order_id", records.array("tickets", "order")),
        "Satisfaction__c": text.null_where(text.integers(satisfaction), satisfaction == 0),
        **_stamps(created, np.where(open_, created, resolved)),
    }
    return dirt.export(columns, records.array("tickets", "person"), QUOTED)
