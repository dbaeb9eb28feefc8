"""Zoho CRM's exports: English labels, ids with `zcrm_` before, a named record's id beside its name, times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS
from lakehouse.sample.company.units import MINUTE
from lakehouse.sample.company.world.selling import KINDS
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers import shared_columns as shared
from lakehouse.sample.company.writers.export import GENERATED, DirtyExport, Export
from lakehouse.sample.company.writers.system_records import records_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Ints
    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.writers.system_records import SystemRecords

_STAGE_PERCENTS = {
    "Qualification": "10",
    "Needs Analysis": "20",
    "Proposal/Price Quote": "75",
    "Negotiation/Review": "90",
    "Closed Won": "100",
    "Closed Lost": "0",
}
_STAGES, _PERCENTS = list(_STAGE_PERCENTS), list(_STAGE_PERCENTS.values())
_LEAD_STATUSES = {  # the world's: Zoho's
    "converted": "Pre-Qualified",
    "contacted": "Contacted",
    "unqualified": "Not Qualified",
}


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what Zoho writes of the customers whose office works with it."""
    records = records_of(chunk, "zoho")
    if records.is_empty:
        return
    yield _contacts(records)
    yield _leads(records)
    yield _deals(records)
    for kind, write in (("call", _calls), ("email", _tasks), ("meeting", _meetings), ("note", _notes)):
        is_kind = records.array("activities", "kind") == KINDS.index(kind)
        yield write(records.filtered("activities", is_kind))
    yield _cases(records)


def _ids(kind: str, world_ids: pa.Array) -> pa.Array:
    return text.joined("zcrm_", ids.zoho(kind, world_ids))


def _owner(records: SystemRecords, label: str, table: str, role: str = "owner") -> dict[str, pa.Array]:
    user_ids = _ids("users", records.user_column(table, "user_id", role))
    return {f"{label}.id": user_ids, label: records.user_column(table, "name", role)}


def _times(created: Ints, updated: Ints) -> dict[str, pa.Array]:
    return {"Created Time": text.utc(created), "Modified Time": text.utc(updated)}


def _contact_ids(records: SystemRecords, contact: Ints) -> pa.Array:
    return text.at_or_null(_ids("contacts", records.chunk.column("contacts", "contact_id")), contact)


def _contacts(records: SystemRecords) -> Export:
    """Return contacts; Zoho has a field for a refusal alone."""
    dirty = DirtyExport(records.chunk, "zoho/contacts")
    rows = len(records.row_numbers("contacts"))
    updated, refuses = records.array("contacts", "updated_at"), shared.refuses_marketing(records)
    columns = {
        "Record Id": _ids("contacts", records.column("contacts", "contact_id")),
        **_owner(records, "Contact Owner", "contacts"),
        "Lead Source": pa.repeat(GENERATED, rows),
        "First Name": shared.given_names(records),
        "Last Name": shared.family_names(records),
        "Email": dirty.emails("Email", shared.emails(records)),
        "Mobile": dirty.phones("Mobile", shared.phones(records)),
        **_times(records.array("contacts", "created_at"), updated),
        "Contact Name": dirty.texts("Contact Name", shared.spelt_names(records)),
        "Mailing Street": records.person_column("contacts", "address"),
        "Mailing City": dirty.texts("Mailing City", shared.city_names(records, "contacts")),
        "Mailing State": shared.province_names(records, "contacts"),
        "Mailing Country": pa.repeat("中国", rows),
        "Email Opt Out": text.either(refuses, "true", "false"),
        "Unsubscribed Time": text.null_where(text.utc(updated), ~refuses),
    }
    return dirty.build(columns, records.array("contacts", "person"))


def _leads(records: SystemRecords) -> Export:
    dirty = DirtyExport(records.chunk, "zoho/leads")
    created, is_converted = records.array("leads", "created_at"), shared.is_converted(records)
    status = pc.index_in(records.column("leads", "status"), pa.array(list(_LEAD_STATUSES)))
    columns = {
        "Record Id": _ids("leads", records.column("leads", "lead_id")),
        **_owner(records, "Lead Owner", "leads"),
        "Is Converted": text.either(is_converted, "true", "false"),
        "Mobile": dirty.phones("Mobile", records.person_column("leads", "phone")),
        "Lead Source": text.pick(CHANNELS, records.array("leads", "channel")),
        "Lead Status": text.pick(list(_LEAD_STATUSES.values()), status.to_numpy(zero_copy_only=False)),
        **_times(created, created),
        "Lead Name": dirty.texts("Lead Name", shared.full_names(records, "leads")),
        "City": shared.city_names(records, "leads"),
        "Country": pa.repeat("中国", len(created)),
        "Converted Date Time": text.null_where(text.utc(created), ~is_converted),
        "Converted Contact.id": _contact_ids(records, shared.converted_contacts(records)),
    }
    return dirty.build(columns, records.array("leads", "person"))


def _deals(records: SystemRecords) -> Export:
    rows, stage = records.row_numbers("deals"), shared.last_stages(records)
    columns = {
        "Record Id": _ids("deals", records.column("deals", "deal_id")),
        **_owner(records, "Deal Owner", "deals"),
        "Amount": text.money(records.array("deals", "amount")),
        "Deal Name": shared.deal_titles(records.chunk, rows),
        "Closing Date": text.days(records.array("deals", "closed_at") - text.UTC_OFFSET),
        "Stage": text.pick(_STAGES, stage),
        "Probability (%)": text.pick(_PERCENTS, stage),
        "Lead Source": text.pick(CHANNELS, records.array("deals", "channel")),
        "Contact Name.id": _contact_ids(records, records.array("deals", "contact")),
        "Currency": pa.repeat("CNY", len(rows)),
        **_times(records.array("deals", "created_at"), shared.deals_updated(records)),
        "Pipeline": pa.repeat("Standard (Standard)", len(rows)),
        "Reason For Loss": shared.loss_reasons(records),
    }
    return Export("zoho/deals", pa.table(columns), records.array("deals", "person"))


def _activity(records: SystemRecords, entity: str, owner: str, own_columns: dict[str, pa.Array]) -> Export:
    """Return activities of one kind: the columns of their export alone, and those that all have."""
    at, deal = records.array("activities", "at"), records.array("activities", "deal")
    deal_ids = _ids("deals", records.chunk.column("deals", "deal_id"))
    columns = {
        "Record Id": _ids("activities", records.column("activities", "activity_id")),
        **_owner(records, owner, "activities"),
        **own_columns,
        "Contact Name.id": _contact_ids(records, records.array("activities", "contact")),
        "Related To.id": text.at_or_null(deal_ids, deal),
        "Related To Module": text.null_where(pa.repeat("Deals", len(at)), deal < 0),
        **_times(at, at),
        "Description": records.column("activities", "note"),
    }
    return Export(entity, pa.table(columns), records.array("activities", "person"))


def _calls(records: SystemRecords) -> Export:
    minutes = records.array("activities", "minutes")
    own_columns = {
        "Subject": pa.repeat("Call", len(minutes)),
        "Call Type": pa.repeat("Outbound", len(minutes)),
        "Call Start Time": text.utc(records.array("activities", "at")),
        "Call Duration": text.joined(text.integers(minutes), ":00"),
        "Call Duration (in seconds)": text.integers(minutes * MINUTE),
        "Call Status": pa.repeat("Completed", len(minutes)),
    }
    return _activity(records, "zoho/calls", "Call Owner", own_columns)


def _tasks(records: SystemRecords) -> Export:
    """Return e-mails: Zoho exports none, so the company keeps a task for each."""
    at = records.array("activities", "at")
    own_columns = {
        "Subject": pa.repeat("Email", len(at)),
        "Due Date": text.days(at - text.UTC_OFFSET),
        "Status": pa.repeat("Completed", len(at)),
        "Closed Time": text.utc(at),
    }
    return _activity(records, "zoho/tasks", "Task Owner", own_columns)


def _meetings(records: SystemRecords) -> Export:
    at = records.array("activities", "at")
    own_columns = {
        "Title": pa.repeat("Meeting", len(at)),
        "All day": pa.repeat("false", len(at)),
        "From": text.utc(at),
        "To": text.utc(at + records.array("activities", "minutes") * MINUTE),
    }
    return _activity(records, "zoho/meetings", "Host", own_columns)


def _notes(records: SystemRecords) -> Export:
    at = records.array("activities", "at")
    columns = {
        "Record Id": _ids("activities", records.column("activities", "activity_id")),
        **_times(at, at),
        "Note Content": records.column("activities", "note"),
        **_owner(records, "Note Owner", "activities"),
        "Note Title": pa.repeat("Note", len(at)),
        "Parent ID.id": _contact_ids(records, records.array("activities", "contact")),
    }
    return Export("zoho/notes", pa.table(columns), records.array("activities", "person"))


def _cases(records: SystemRecords) -> Export:
    dirty = DirtyExport(records.chunk, "zoho/cases")
    chunk, is_open = records.chunk, records.array("tickets", "open")
    contact = shared.first_contacts(chunk, records.array("tickets", "row"))
    columns = {
        "Record Id": _ids("tickets", records.column("tickets", "ticket_id")),
        **_owner(records, "Case Owner", "tickets", "agent"),
        "Status": text.either(is_open, "New", "Closed"),
        "Type": shared.ticket_kinds(records),
        "Case Origin": pa.repeat("Web", len(is_open)),
        "Subject": records.column("tickets", "subject"),
        "Priority": text.either(records.array("tickets", "complaint"), "High", "Medium"),
        "Related To.id": _contact_ids(records, contact),
        "Email": records.person_column("tickets", "email"),
        "Order Number": shared.order_numbers(chunk, records.array("tickets", "order")),
        "Satisfaction": shared.satisfaction(records),
        **_times(records.array("tickets", "created_at"), shared.tickets_updated(records)),
    }
    return dirty.build(columns, records.array("tickets", "person"))
