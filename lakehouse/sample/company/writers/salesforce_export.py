"""Salesforce's Data Export: API names as headers, every value quoted, times in UTC without a zone, 1 and 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS
from lakehouse.sample.company.units import MINUTE
from lakehouse.sample.company.world.selling import KINDS, OPEN, WON
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers import shared_columns as shared
from lakehouse.sample.company.writers.export import GENERATED, QUOTED, DirtyExport, Export
from lakehouse.sample.company.writers.system_records import records_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Flags, Ints
    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.writers.system_records import SystemRecords

_STAGE_PERCENTS = {
    "Prospecting": "10",
    "Qualification": "25",
    "Proposal/Price Quote": "65",
    "Negotiation/Review": "80",
    "Closed Won": "100",
    "Closed Lost": "0",
}
_STAGES, _PERCENTS = list(_STAGE_PERCENTS), list(_STAGE_PERCENTS.values())
_LEAD_STATUSES = {
    "converted": "Closed - Converted",
    "contacted": "Working - Contacted",
}  # the world's: Salesforce's
_OTHER_LEAD_STATUS = "Closed - Not Converted"


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what Salesforce writes of the customers whose office works with it."""
    records = records_of(chunk, "salesforce")
    if records.is_empty:
        return
    if records.starts_team:
        yield _users(chunk)
    yield _contacts(records)
    yield _leads(records)
    yield _opportunities(records)
    yield _opportunity_history(records)
    is_meeting = records.array("activities", "kind") == KINDS.index("meeting")
    yield _tasks(records.filtered("activities", ~is_meeting))
    yield _events(records.filtered("activities", is_meeting))
    yield _cases(records)


def _flag(flags: Flags) -> pa.Array:
    return text.either(flags, "1", "0")


def _stamps(created: Ints, updated: Ints) -> dict[str, pa.Array]:
    changed = text.utc(updated)
    return {"CreatedDate": text.utc(created), "LastModifiedDate": changed, "SystemModstamp": changed}


def _owner(records: SystemRecords, table: str, role: str = "owner") -> pa.Array:
    return ids.salesforce("users", records.user_column(table, "user_id", role))


def _contact_ids(records: SystemRecords, contact: Ints) -> pa.Array:
    contact_ids = ids.salesforce("contacts", records.chunk.column("contacts", "contact_id"))
    return text.at_or_null(contact_ids, contact)


def _users(chunk: Chunk) -> Export:
    count = len(chunk.tables["staff"])
    since_history_began = np.full(count, chunk.scenario.history.zero)
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
        **_stamps(since_history_began, since_history_began),
    }
    return Export("salesforce/users", pa.table(columns), form=QUOTED)


def _contacts(records: SystemRecords) -> Export:
    """Return contacts; Salesforce has a field for a refusal alone."""
    dirty = DirtyExport(records.chunk, "salesforce/contacts")
    rows = len(records.row_numbers("contacts"))
    columns = {
        "Id": ids.salesforce("contacts", records.column("contacts", "contact_id")),
        "IsDeleted": pa.repeat("0", rows),
        "LastName": shared.family_names(records),
        "FirstName": dirty.texts("FirstName", shared.given_names(records)),
        "MailingStreet": records.person_column("contacts", "address"),
        "MailingCity": dirty.texts("MailingCity", shared.city_names(records, "contacts")),
        "MailingState": shared.province_names(records, "contacts"),
        "MailingCountry": pa.repeat("China", rows),
        "MobilePhone": dirty.phones("MobilePhone", shared.phones(records)),
        "Email": dirty.emails("Email", shared.emails(records)),
        "LeadSource": pa.repeat(GENERATED, rows),
        "OwnerId": _owner(records, "contacts"),
        "HasOptedOutOfEmail": _flag(shared.refuses_marketing(records)),
        **_stamps(records.array("contacts", "created_at"), records.array("contacts", "updated_at")),
    }
    return dirty.build(columns, records.array("contacts", "person"), QUOTED)


def _leads(records: SystemRecords) -> Export:
    dirty = DirtyExport(records.chunk, "salesforce/leads")
    created = records.array("leads", "created_at")
    is_converted = shared.is_converted(records)
    converted_on = text.null_where(text.days(created - text.UTC_OFFSET), ~is_converted)
    first, second = (records.person_column("leads", name) for name in ("given_first", "given_second"))
    columns = {
        "Id": ids.salesforce("leads", records.column("leads", "lead_id")),
        "IsDeleted": pa.repeat("0", len(created)),
        "LastName": records.person_column("leads", "family"),
        "FirstName": text.joined(first, second),
        "Name": dirty.texts("Name", shared.full_names(records, "leads")),
        "City": shared.city_names(records, "leads"),
        "MobilePhone": dirty.phones("MobilePhone", records.person_column("leads", "phone")),
        "LeadSource": text.pick(CHANNELS, records.array("leads", "channel")),
        "Status": _lead_statuses(records),
        "OwnerId": _owner(records, "leads"),
        "HasOptedOutOfEmail": pa.repeat("0", len(created)),
        "IsConverted": _flag(is_converted),
        "ConvertedDate": converted_on,
        "ConvertedContactId": _contact_ids(records, shared.converted_contacts(records)),
        **_stamps(created, created),
    }
    return dirty.build(columns, records.array("leads", "person"), QUOTED)


def _lead_statuses(records: SystemRecords) -> pa.Array:
    known = pc.index_in(records.column("leads", "status"), pa.array(list(_LEAD_STATUSES)))
    index = pc.fill_null(known, len(_LEAD_STATUSES)).to_numpy(zero_copy_only=False)
    return text.pick([*_LEAD_STATUSES.values(), _OTHER_LEAD_STATUS], index)


def _opportunities(records: SystemRecords) -> Export:
    rows, outcome = records.row_numbers("deals"), records.array("deals", "outcome")
    stage = shared.last_stages(records)
    columns = {
        "Id": ids.salesforce("deals", records.column("deals", "deal_id")),
        "IsDeleted": pa.repeat("0", len(rows)),
        "ContactId": _contact_ids(records, records.array("deals", "contact")),
        "Name": shared.deal_titles(records.chunk, rows),
        "StageName": text.pick(_STAGES, stage),
        "Amount": text.money(records.array("deals", "amount")),
        "Probability": text.pick(_PERCENTS, stage),
        "CloseDate": text.days(records.array("deals", "closed_at") - text.UTC_OFFSET),
        "LeadSource": text.pick(CHANNELS, records.array("deals", "channel")),
        "IsClosed": _flag(outcome != OPEN),
        "IsWon": _flag(outcome == WON),
        "CurrencyIsoCode": pa.repeat("CNY", len(rows)),
        "OwnerId": _owner(records, "deals"),
        "Loss_Reason__c": shared.loss_reasons(records),
        **_stamps(records.array("deals", "created_at"), shared.deals_updated(records)),
    }
    person = records.array("deals", "person")
    return Export("salesforce/opportunities", pa.table(columns), person, form=QUOTED)


def _opportunity_history(records: SystemRecords) -> Export:
    """Return an entry for each stage that an opportunity entered; its id is the step's before the deal's number."""
    chunk, deal, stage = records.chunk, records.array("stages", "deal"), records.array("stages", "stage")
    deal_ids = chunk.column("deals", "deal_id", deal)
    entered = text.utc(records.array("stages", "entered_at"))
    step = text.integers(records.array("stages", "step"))
    entry_ids = text.joined("D", step, pc.utf8_slice_codeunits(deal_ids, 1))
    owner_ids = chunk.column("staff", "user_id", chunk.array("deals", "owner")[deal])
    columns = {
        "Id": ids.salesforce("stages", entry_ids),
        "IsDeleted": pa.repeat("0", len(deal)),
        "OpportunityId": ids.salesforce("deals", deal_ids),
        "CreatedById": ids.salesforce("users", owner_ids),
        "CreatedDate": entered,
        "StageName": text.pick(_STAGES, stage),
        "Amount": text.money(chunk.array("deals", "amount")[deal]),
        "Probability": text.pick(_PERCENTS, stage),
        "CurrencyIsoCode": pa.repeat("CNY", len(deal)),
        "SystemModstamp": entered,
    }
    person = records.array("stages", "person")
    return Export("salesforce/opportunity_history", pa.table(columns), person, form=QUOTED)


def _activity_columns(records: SystemRecords) -> dict[str, pa.Array]:
    """Return the columns that tasks and events have in common."""
    deal_ids = ids.salesforce("deals", records.chunk.column("deals", "deal_id"))
    return {
        "IsDeleted": pa.repeat("0", len(records.row_numbers("activities"))),
        "WhoId": _contact_ids(records, records.array("activities", "contact")),
        "WhatId": text.at_or_null(deal_ids, records.array("activities", "deal")),
        "OwnerId": _owner(records, "activities"),
        "Description": records.column("activities", "note"),
    }


def _tasks(records: SystemRecords) -> Export:
    """Return calls and e-mails that were logged; a note is a task that was done."""
    kind, at = records.array("activities", "kind"), records.array("activities", "at")
    is_no_call = kind != KINDS.index("call")
    seconds = text.integers(records.array("activities", "minutes") * MINUTE)
    columns = {
        "Id": ids.salesforce("activities", records.column("activities", "activity_id")),
        **_activity_columns(records),
        "Subject": text.pick(("Call", "Email", "Meeting", "Note"), kind),
        "ActivityDate": text.days(at - text.UTC_OFFSET),
        "Status": pa.repeat("Completed", len(at)),
        "Priority": pa.repeat("Normal", len(at)),
        "IsClosed": pa.repeat("1", len(at)),
        "CallDurationInSeconds": text.null_where(seconds, is_no_call),
        "CallType": text.null_where(pa.repeat("Outbound", len(at)), is_no_call),
        "TaskSubtype": text.pick(("Call", "Email", "Task", "Task"), kind),
        "CompletedDateTime": text.utc(at),
        **_stamps(at, at),
    }
    return Export("salesforce/tasks", pa.table(columns), records.array("activities", "person"), form=QUOTED)


def _events(records: SystemRecords) -> Export:
    at, minutes = records.array("activities", "at"), records.array("activities", "minutes")
    columns = {
        "Id": ids.salesforce("meetings", records.column("activities", "activity_id")),
        **_activity_columns(records),
        "Subject": pa.repeat("Meeting", len(at)),
        "IsAllDayEvent": pa.repeat("0", len(at)),
        "DurationInMinutes": text.integers(minutes),
        "StartDateTime": text.utc(at),
        "EndDateTime": text.utc(at + minutes * MINUTE),
        "Type": pa.repeat("Meeting", len(at)),
        **_stamps(at, at),
    }
    return Export("salesforce/events", pa.table(columns), records.array("activities", "person"), form=QUOTED)


def _cases(records: SystemRecords) -> Export:
    """Return cases; who is no contact is named by phone."""
    dirty = DirtyExport(records.chunk, "salesforce/cases")
    chunk, is_open = records.chunk, records.array("tickets", "open")
    contact = shared.first_contacts(chunk, records.array("tickets", "row"))
    supplied_phone = text.null_where(records.person_column("tickets", "phone"), contact >= 0)
    columns = {
        "Id": ids.salesforce("tickets", records.column("tickets", "ticket_id")),
        "IsDeleted": pa.repeat("0", len(is_open)),
        "ContactId": _contact_ids(records, contact),
        "SuppliedPhone": supplied_phone,
        "Type": shared.ticket_kinds(records),
        "Status": text.either(is_open, "New", "Closed"),
        "Origin": pa.repeat("Web", len(is_open)),
        "Subject": records.column("tickets", "subject"),
        "Priority": text.either(records.array("tickets", "complaint"), "High", "Medium"),
        "IsClosed": _flag(~is_open),
        "ClosedDate": text.null_where(text.utc(records.array("tickets", "resolved_at")), is_open),
        "OwnerId": _owner(records, "tickets", "agent"),
        "Order_Number__c": shared.order_numbers(chunk, records.array("tickets", "order")),
        "Satisfaction__c": shared.satisfaction(records),
        **_stamps(records.array("tickets", "created_at"), shared.tickets_updated(records)),
    }
    return dirty.build(columns, records.array("tickets", "person"), QUOTED)
