"""Zoho CRM's exports: English labels, ids with `zcrm_` before, a named record's id beside its name, times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS, LOSS_REASONS
from lakehouse.sample.company.random_arrays import Ints
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import KINDS, LOST, OPEN
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, Dirt, Export
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
    "Qualification",
    "Needs Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)
_PERCENT = ("10", "20", "75", "90", "100", "0")
_CITIES = [place.name for place in CITIES]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what Zoho writes of the customers whose office works with it."""
    records = records_of(chunk, "zoho")
    if records.is_empty:
        return
    yield _contacts(records)
    yield _leads(records)
    yield _deals(records)
    for kind, write in (("call", _calls), ("email", _tasks), ("meeting", _meetings), ("note", _notes)):
        yield write(records.filtered("activities", records.array("activities", "kind") == KINDS.index(kind)))
    yield _cases(records)


def _id(kind: str, numbers: pa.Array) -> pa.Array:
    return text.joined("zcrm_", ids.zoho(kind, numbers))


def _owner(records: SystemRecords, label: str, table: str, by: str = "owner") -> dict[str, pa.Array]:
    user = _id("users", records.user_column(table, "user_id", by))
    return {f"{label}.id": user, label: records.user_column(table, "name", by)}


def _times(created: Ints, updated: Ints) -> dict[str, pa.Array]:
    return {"Created Time": text.utc(created), "Modified Time": text.utc(updated)}


def _contact_ids(records: SystemRecords, contact: Ints) -> pa.Array:
    return or_null(_id("contacts", records.chunk.column("contacts", "contact_id")), contact)


def _contacts(records: SystemRecords) -> Export:
    """Return contacts; Zoho has a field for a refusal alone."""
    city, updated = (
        records.chunk.array("persons", "city")[records.array("contacts", "row")],
        records.array("contacts", "updated_at"),
    )
    refused = pc.equal(records.column("contacts", "consent"), "no").to_numpy(zero_copy_only=False)
    family, given = family_names(records), given_names(records)
    dirt = Dirt(records.chunk, "zoho/contacts")
    columns = {
        "Record Id": _id("contacts", records.column("contacts", "contact_id")),
        **_owner(records, "Contact Owner", "contacts"),
        "Lead Source": pa.repeat(GENERATED, len(city)),
        "First Name": given,
        "Last Name": family,
        "Email": dirt.emails("Email", emails(records)),
        "Mobile": dirt.phones("Mobile", phones(records)),
        **_times(records.array("contacts", "created_at"), updated),
        "Contact Name": dirt.words("Contact Name", text.joined(family, given)),
        "Mailing Street": records.person_column("contacts", "address"),
        "Mailing City": dirt.words("Mailing City", text.pick(_CITIES, city)),
        "Mailing State": text.pick([place.province for place in CITIES], city),
        "Mailing Country": pa.repeat("中国", len(city)),
        "Email Opt Out": text.either(refused, "true", "false"),
        "Unsubscribed Time": text.null_where(text.utc(updated), ~refused),
    }
    return dirt.export(columns, records.array("contacts", "person"))


def _leads(records: SystemRecords) -> Export:
    status, created = records.column("leads", "status"), records.array("leads", "created_at")
    converted = pc.equal(status, "converted").to_numpy(zero_copy_only=False)
    contact = np.where(converted, first_contacts(records.chunk, records.array("leads", "row")), -1)
    of = pc.index_in(status, pa.array(["converted", "contacted", "unqualified"]))
    dirt = Dirt(records.chunk, "zoho/leads")
    columns = {
        "Record Id": _id("leads", records.column("leads", "lead_id")),
        **_owner(records, "Lead Owner", "leads"),
        "Is Converted": text.either(converted, "true", "false"),
        "Mobile": dirt.phones("Mobile", records.person_column("leads", "phone")),
        "Lead Source": text.pick(CHANNELS, records.array("leads", "channel")),
        "Lead Status": text.pick(
            ("Pre-Qualified", "Contacted", "Not Qualified"), of.to_numpy(zero_copy_only=False)
        ),
        **_times(created, created),
        "Lead Name": dirt.words("Lead Name", full_names(records, "leads")),
        "City": text.pick(_CITIES, records.chunk.array("persons", "city")[records.array("leads", "row")]),
        "Country": pa.repeat("中国", len(created)),
        "Converted Date Time": text.null_where(text.utc(created), ~converted),
        "Converted Contact.id": _contact_ids(records, contact),
    }
    return dirt.export(columns, records.array("leads", "person"))


def _deals(records: SystemRecords) -> Export:
    rows, outcome = records.row_numbers("deals"), records.array("deals", "outcome")
    stage = last_stages(records.chunk)[rows]
    created, closed = records.array("deals", "created_at"), records.array("deals", "closed_at")
    columns = {
        "Record Id": _id("deals", records.column("deals", "deal_id")),
        **_owner(records, "Deal Owner", "deals"),
        "Amount": text.money(records.array("deals", "amount")),
        "Deal Name": text.joined(records.column("deals", "product"), " ", records.column("deals", "deal_id")),
        "Closing Date": text.days(closed - text.UTC_OFFSET),
        "Stage": text.pick(_STAGES, stage),
        "Probability (%)": text.pick(_PERCENT, stage),
        "Lead Source": text.pick(CHANNELS, records.array("deals", "channel")),
        "Contact Name.id": _contact_ids(records, records.array("deals", "contact")),
        "Currency": pa.repeat("CNY", len(rows)),
        **_times(created, np.where(outcome == OPEN, created, closed)),
        "Pipeline": pa.repeat("Standard (Standard)", len(rows)),
        "Reason For Loss": text.null_where(
            text.pick(LOSS_REASONS, np.maximum(records.array("deals", "reason"), 0)), outcome != LOST
        ),
    }
    return Export("zoho/deals", pa.table(columns), records.array("deals", "person"))


def _activity(records: SystemRecords, place: str, owner: str, of: dict[str, pa.Array]) -> Export:
    """Return activities of one kind: what its export has of its own, and what all have."""
    at, deal = records.array("activities", "at"), records.array("activities", "deal")
    columns = {
        "Record Id": _id("activities", records.column("activities", "activity_id")),
        **_owner(records, owner, "activities"),
        **of,
        "Contact Name.id": _contact_ids(records, records.array("activities", "contact")),
        "Related To.id": or_null(_id("deals", records.chunk.column("deals", "deal_id")), deal),
        "Related To Module": text.null_where(pa.repeat("Deals", len(at)), deal < 0),
        **_times(at, at),
        "Description": records.column("activities", "note"),
    }
    return Export(place, pa.table(columns), records.array("activities", "person"))


def _calls(records: SystemRecords) -> Export:
    minutes = records.array("activities", "minutes")
    of = {
        "Subject": pa.repeat("Call", len(minutes)),
        "Call Type": pa.repeat("Outbound", len(minutes)),
        "Call Start Time": text.utc(records.array("activities", "at")),
        "Call Duration": text.joined(text.integers(minutes), ":00"),
        "Call Duration (in seconds)": text.integers(minutes * 60),
        "Call Status": pa.repeat("Completed", len(minutes)),
    }
    return _activity(records, "zoho/calls", "Call Owner", of)


def _tasks(records: SystemRecords) -> Export:
    """Return e-mails: Zoho exports none, so the company keeps a task for each."""
    at = records.array("activities", "at")
    of = {
        "Subject": pa.repeat("Email", len(at)),
        "Due Date": text.days(at - text.UTC_OFFSET),
        "Status": pa.repeat("Completed", len(at)),
        "Closed Time": text.utc(at),
    }
    return _activity(records, "zoho/tasks", "Task Owner", of)


def _meetings(records: SystemRecords) -> Export:
    at = records.array("activities", "at")
    of = {
        "Title": pa.repeat("Meeting", len(at)),
        "All day": pa.repeat("false", len(at)),
        "From": text.utc(at),
        "To": text.utc(at + records.array("activities", "minutes") * 60),
    }
    return _activity(records, "zoho/meetings", "Host", of)


def _notes(records: SystemRecords) -> Export:
    at = records.array("activities", "at")
    columns = {
        "Record Id": _id("activities", records.column("activities", "activity_id")),
        **_times(at, at),
        "Note Content": records.column("activities", "note"),
        **_owner(records, "Note Owner", "activities"),
        "Note Title": pa.repeat("Note", len(at)),
        "Parent ID.id": _contact_ids(records, records.array("activities", "contact")),
    }
    return Export("zoho/notes", pa.table(columns), records.array("activities", "person"))


def _cases(records: SystemRecords) -> Export:
    chunk, open_ = records.chunk, records.array("tickets", "open")
    complaint = records.array("tickets", "complaint").astype(np.int64)
    satisfaction = records.array("tickets", "satisfaction")
    created, resolved = records.array("tickets", "created_at"), records.array("tickets", "resolved_at")
    dirt = Dirt(chunk, "zoho/cases")
    columns = {
        "Record Id": _id("tickets", records.column("tickets", "ticket_id")),
        **_owner(records, "Case Owner", "tickets", "agent"),
        "Status": text.either(open_, "New", "Closed"),
        "Type": text.pick(("question", "complaint"), complaint),
        "Case Origin": pa.repeat("Web", len(open_)),
        "Subject": records.column("tickets", "subject"),
        "Priority": text.pick(("Medium", "High"), complaint),
        "Related To.id": _contact_ids(records, first_contacts(chunk, records.array("tickets", "row"))),
        "Email": records.person_column("tickets", "email"),
        "Order Number": chunk.column("orders", "order_id", records.array("tickets", "order")),
        "Satisfaction": text.null_where(text.integers(satisfaction), satisfaction == 0),
        **_times(created, np.where(open_, created, resolved)),
    }
    return dirt.export(columns, records.array("tickets", "person"))
