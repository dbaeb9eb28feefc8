"""Zoho CRM's exports: English labels, ids with `zcrm_` before, a named record's id beside its name, times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.plants import CHANNELS, LOSS_REASONS
from lakehouse.sample.company.random_arrays import Ints
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import KINDS, LOST, OPEN
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, Dirt, Export
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
    part = held_by(chunk, "zoho")
    if part.none:
        return
    yield _contacts(part)
    yield _leads(part)
    yield _deals(part)
    for kind, write in (("call", _calls), ("email", _tasks), ("meeting", _meetings), ("note", _notes)):
        yield write(part.only("activities", part.of("activities", "kind") == KINDS.index(kind)))
    yield _cases(part)


def _id(kind: str, numbers: pa.Array) -> pa.Array:
    return text_columns.joined("zcrm_", ids.zoho(kind, numbers))


def _owner(part: Part, label: str, table: str, by: str = "owner") -> dict[str, pa.Array]:
    user = _id("users", part.user(table, "user_id", by))
    return {f"{label}.id": user, label: part.user(table, "name", by)}


def _times(created: Ints, updated: Ints) -> dict[str, pa.Array]:
    return {"Created Time": text_columns.utc(created), "Modified Time": text_columns.utc(updated)}


def _contact_ids(part: Part, contact: Ints) -> pa.Array:
    return or_null(_id("contacts", part.chunk.texts("contacts", "contact_id")), contact)


def _contacts(part: Part) -> Export:
    """Return contacts; Zoho has a field for a refusal alone."""
    city, updated = (
        part.chunk.of("persons", "city")[part.of("contacts", "row")],
        part.of("contacts", "updated_at"),
    )
    refused = pc.equal(part.texts("contacts", "consent"), "no").to_numpy(zero_copy_only=False)
    family, given = family_names(part), given_names(part)
    dirt = Dirt(part.chunk, "zoho/contacts")
    columns = {
        "Record Id": _id("contacts", part.texts("contacts", "contact_id")),
        **_owner(part, "Contact Owner", "contacts"),
        "Lead Source": pa.repeat(GENERATED, len(city)),
        "First Name": given,
        "Last Name": family,
        "Email": dirt.emails("Email", emails(part)),
        "Mobile": dirt.phones("Mobile", phones(part)),
        **_times(part.of("contacts", "created_at"), updated),
        "Contact Name": dirt.words("Contact Name", text_columns.joined(family, given)),
        "Mailing Street": part.persons("contacts", "address"),
        "Mailing City": dirt.words("Mailing City", text_columns.pick(_CITIES, city)),
        "Mailing State": text_columns.pick([place.province for place in CITIES], city),
        "Mailing Country": pa.repeat("中国", len(city)),
        "Email Opt Out": text_columns.pick(("false", "true"), refused.astype(np.int64)),
        "Unsubscribed Time": text_columns.blank(text_columns.utc(updated), ~refused),
    }
    return dirt.export(columns, part.of("contacts", "person"))


def _leads(part: Part) -> Export:
    status, created = part.texts("leads", "status"), part.of("leads", "created_at")
    converted = pc.equal(status, "converted").to_numpy(zero_copy_only=False)
    contact = np.where(converted, first_contacts(part.chunk, part.of("leads", "row")), -1)
    of = pc.index_in(status, pa.array(["converted", "contacted", "unqualified"]))
    dirt = Dirt(part.chunk, "zoho/leads")
    columns = {
        "Record Id": _id("leads", part.texts("leads", "lead_id")),
        **_owner(part, "Lead Owner", "leads"),
        "Is Converted": text_columns.pick(("false", "true"), converted.astype(np.int64)),
        "Mobile": dirt.phones("Mobile", part.persons("leads", "phone")),
        "Lead Source": text_columns.pick(CHANNELS, part.of("leads", "channel")),
        "Lead Status": text_columns.pick(
            ("Pre-Qualified", "Contacted", "Not Qualified"), of.to_numpy(zero_copy_only=False)
        ),
        **_times(created, created),
        "Lead Name": dirt.words("Lead Name", full_names(part, "leads")),
        "City": text_columns.pick(_CITIES, part.chunk.of("persons", "city")[part.of("leads", "row")]),
        "Country": pa.repeat("中国", len(created)),
        "Converted Date Time": text_columns.blank(text_columns.utc(created), ~converted),
        "Converted Contact.id": _contact_ids(part, contact),
    }
    return dirt.export(columns, part.of("leads", "person"))


def _deals(part: Part) -> Export:
    rows, outcome = part.rows("deals"), part.of("deals", "outcome")
    stage = last_stages(part.chunk)[rows]
    created, closed = part.of("deals", "created_at"), part.of("deals", "closed_at")
    columns = {
        "Record Id": _id("deals", part.texts("deals", "deal_id")),
        **_owner(part, "Deal Owner", "deals"),
        "Amount": text_columns.money(part.of("deals", "amount")),
        "Deal Name": text_columns.joined(part.texts("deals", "product"), " ", part.texts("deals", "deal_id")),
        "Closing Date": text_columns.days(closed - text_columns.UTC_OFFSET),
        "Stage": text_columns.pick(_STAGES, stage),
        "Probability (%)": text_columns.pick(_PERCENT, stage),
        "Lead Source": text_columns.pick(CHANNELS, part.of("deals", "channel")),
        "Contact Name.id": _contact_ids(part, part.of("deals", "contact")),
        "Currency": pa.repeat("CNY", len(rows)),
        **_times(created, np.where(outcome == OPEN, created, closed)),
        "Pipeline": pa.repeat("Standard (Standard)", len(rows)),
        "Reason For Loss": text_columns.blank(
            text_columns.pick(LOSS_REASONS, np.maximum(part.of("deals", "reason"), 0)), outcome != LOST
        ),
    }
    return Export("zoho/deals", pa.table(columns), part.of("deals", "person"))


def _activity(part: Part, place: str, owner: str, of: dict[str, pa.Array]) -> Export:
    """Return activities of one kind: what its export has of its own, and what all have."""
    at, deal = part.of("activities", "at"), part.of("activities", "deal")
    columns = {
        "Record Id": _id("activities", part.texts("activities", "activity_id")),
        **_owner(part, owner, "activities"),
        **of,
        "Contact Name.id": _contact_ids(part, part.of("activities", "contact")),
        "Related To.id": or_null(_id("deals", part.chunk.texts("deals", "deal_id")), deal),
        "Related To Module": text_columns.blank(pa.repeat("Deals", len(at)), deal < 0),
        **_times(at, at),
        "Description": part.texts("activities", "note"),
    }
    return Export(place, pa.table(columns), part.of("activities", "person"))


def _calls(part: Part) -> Export:
    minutes = part.of("activities", "minutes")
    of = {
        "Subject": pa.repeat("Call", len(minutes)),
        "Call Type": pa.repeat("Outbound", len(minutes)),
        "Call Start Time": text_columns.utc(part.of("activities", "at")),
        "Call Duration": text_columns.joined(text_columns.plain(minutes), ":00"),
        "Call Duration (in seconds)": text_columns.plain(minutes * 60),
        "Call Status": pa.repeat("Completed", len(minutes)),
    }
    return _activity(part, "zoho/calls", "Call Owner", of)


def _tasks(part: Part) -> Export:
    """Return e-mails: Zoho exports none, so the company keeps a task for each."""
    at = part.of("activities", "at")
    of = {
        "Subject": pa.repeat("Email", len(at)),
        "Due Date": text_columns.days(at - text_columns.UTC_OFFSET),
        "Status": pa.repeat("Completed", len(at)),
        "Closed Time": text_columns.utc(at),
    }
    return _activity(part, "zoho/tasks", "Task Owner", of)


def _meetings(part: Part) -> Export:
    at = part.of("activities", "at")
    of = {
        "Title": pa.repeat("Meeting", len(at)),
        "All day": pa.repeat("false", len(at)),
        "From": text_columns.utc(at),
        "To": text_columns.utc(at + part.of("activities", "minutes") * 60),
    }
    return _activity(part, "zoho/meetings", "Host", of)


def _notes(part: Part) -> Export:
    at = part.of("activities", "at")
    columns = {
        "Record Id": _id("activities", part.texts("activities", "activity_id")),
        **_times(at, at),
        "Note Content": part.texts("activities", "note"),
        **_owner(part, "Note Owner", "activities"),
        "Note Title": pa.repeat("Note", len(at)),
        "Parent ID.id": _contact_ids(part, part.of("activities", "contact")),
    }
    return Export("zoho/notes", pa.table(columns), part.of("activities", "person"))


def _cases(part: Part) -> Export:
    chunk, open_ = part.chunk, part.of("tickets", "open")
    complaint = part.of("tickets", "complaint").astype(np.int64)
    satisfaction = part.of("tickets", "satisfaction")
    created, resolved = part.of("tickets", "created_at"), part.of("tickets", "resolved_at")
    dirt = Dirt(chunk, "zoho/cases")
    columns = {
        "Record Id": _id("tickets", part.texts("tickets", "ticket_id")),
        **_owner(part, "Case Owner", "tickets", "agent"),
        "Status": text_columns.pick(("Closed", "New"), open_.astype(np.int64)),
        "Type": text_columns.pick(("question", "complaint"), complaint),
        "Case Origin": pa.repeat("Web", len(open_)),
        "Subject": part.texts("tickets", "subject"),
        "Priority": text_columns.pick(("Medium", "High"), complaint),
        "Related To.id": _contact_ids(part, first_contacts(chunk, part.of("tickets", "row"))),
        "Email": part.persons("tickets", "email"),
        "Order Number": chunk.texts("orders", "order_id", part.of("tickets", "order")),
        "Satisfaction": text_columns.blank(text_columns.plain(satisfaction), satisfaction == 0),
        **_times(created, np.where(open_, created, resolved)),
    }
    return dirt.export(columns, part.of("tickets", "person"))
