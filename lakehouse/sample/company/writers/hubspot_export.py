"""HubSpot's CSV exports: all properties and associations, English labels, every value quoted, times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS, LOSS_REASONS
from lakehouse.sample.company.random_arrays import Ints
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import KINDS, LOST, OPEN, WON
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, QUOTED, Dirt, Export
from lakehouse.sample.company.writers.system_records import (
    SystemRecords,
    emails,
    family_names,
    first_contacts,
    given_names,
    last_stages,
    or_null,
    phones,
    records_of,
    stage_moments,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk

STAGES = (
    "Appointment Scheduled",
    "Qualified To Buy",
    "Presentation Scheduled",
    "Contract Sent",
    "Closed Won",
    "Closed Lost",
)
_SALES, _SUPPORT = "Sales Pipeline", "Support Pipeline"


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what HubSpot writes of the customers whose office works with it."""
    records = records_of(chunk, "hubspot")
    if records.is_empty:
        return
    yield _contacts(records)
    yield _deals(records)
    for kind, write in (("call", _calls), ("email", _emails), ("meeting", _meetings), ("note", _notes)):
        yield write(records.filtered("activities", records.array("activities", "kind") == KINDS.index(kind)))
    yield _tickets(records)


def _contacts(records: SystemRecords) -> Export:
    city = records.chunk.array("persons", "city")[records.array("contacts", "row")]
    updated, consent = records.array("contacts", "updated_at"), records.column("contacts", "consent")
    dirt = Dirt(records.chunk, "hubspot/contacts")
    columns = {
        "Record ID": ids.hubspot("contacts", records.column("contacts", "contact_id")),
        "First Name": dirt.words("First Name", given_names(records)),
        "Last Name": family_names(records),
        "Email": dirt.emails("Email", emails(records)),
        "Phone Number": dirt.phones("Phone Number", phones(records)),
        "Contact owner": records.user_column("contacts", "name"),
        "Lifecycle Stage": pa.repeat("Customer", len(city)),
        "Marketing consent": text.pick(
            ("", "Yes", "No"),
            pc.index_in(consent, pa.array(["", "yes", "no"])).to_numpy(zero_copy_only=False),
        ),
        "Marketing consent date": pc.if_else(pc.equal(consent, ""), "", text.utc_minutes(updated)),
        "Street Address": records.person_column("contacts", "address"),
        "City": dirt.words("City", text.pick([place.name for place in CITIES], city)),
        "State/Region": text.pick([place.province for place in CITIES], city),
        "State/Region Code": text.pick([place.province_code[-2:] for place in CITIES], city),
        "Country/Region": pa.repeat("China", len(city)),
        "Country/Region Code": pa.repeat("CN", len(city)),
        "Original Source": pa.repeat(GENERATED, len(city)),
        "Create Date": text.utc_minutes(records.array("contacts", "created_at")),
        "Last Modified Date": text.utc_minutes(updated),
    }
    return dirt.export(columns, records.array("contacts", "person"), QUOTED)


def _deals(records: SystemRecords) -> Export:
    """Return deals; each stage of the pipeline has a column for when the deal entered it."""
    chunk, rows = records.chunk, records.row_numbers("deals")
    outcome, closed = records.array("deals", "outcome"), records.array("deals", "closed_at")
    entered = stage_moments(chunk, len(STAGES))[rows]
    columns = {
        "Record ID": ids.hubspot("deals", records.column("deals", "deal_id")),
        "Deal Name": text.joined(records.column("deals", "product"), " ", records.column("deals", "deal_id")),
        "Deal Stage": text.pick(STAGES, last_stages(chunk)[rows]),
        "Pipeline": pa.repeat(_SALES, len(rows)),
        "Amount": text.money(records.array("deals", "amount")),
        "Currency": pa.repeat("CNY", len(rows)),
        "Close Date": text.null_where(text.utc_minutes(closed), outcome == OPEN),
        "Deal owner": records.user_column("deals", "name"),
        "Is Deal Closed?": text.either(outcome == OPEN, "false", "true"),
        "Is Closed Won": text.either(outcome == WON, "true", "false"),
        "Closed Lost Reason": text.null_where(
            text.pick(LOSS_REASONS, np.maximum(records.array("deals", "reason"), 0)), outcome != LOST
        ),
        "Original Traffic Source": text.pick(CHANNELS, records.array("deals", "channel")),
        **{
            f'Date entered "{stage} ({_SALES})"': text.null_where(
                text.utc_minutes(entered[:, number]), entered[:, number] < 0
            )
            for number, stage in enumerate(STAGES)
        },
        "Associated Contact IDs": _contact_ids(records, records.array("deals", "contact")),
        "Create Date": text.utc_minutes(records.array("deals", "created_at")),
        "Last Modified Date": text.utc_minutes(entered.max(axis=1, initial=0)),
    }
    return Export("hubspot/deals", pa.table(columns), records.array("deals", "person"), form=QUOTED)


def _contact_ids(records: SystemRecords, contact: Ints) -> pa.Array:
    return or_null(ids.hubspot("contacts", records.chunk.column("contacts", "contact_id")), contact)


def _activity(records: SystemRecords, place: str, of: dict[str, pa.Array], note: str) -> Export:
    """Return activities of one kind: what its export has of its own, and what all have."""
    chunk, at = records.chunk, text.utc_minutes(records.array("activities", "at"))
    deals = ids.hubspot("deals", chunk.column("deals", "deal_id"))
    columns = {
        "Record ID": ids.hubspot("activities", records.column("activities", "activity_id")),
        **of,
        note: records.column("activities", "note"),
        "Activity date": at,
        "Activity assigned to": records.user_column("activities", "name"),
        "Associated Contact IDs": _contact_ids(records, records.array("activities", "contact")),
        "Associated Deal IDs": or_null(deals, records.array("activities", "deal")),
        "Create date": at,
        "Last modified date": at,
    }
    return Export(place, pa.table(columns), records.array("activities", "person"), form=QUOTED)


def _calls(records: SystemRecords) -> Export:
    minutes = records.array("activities", "minutes")
    of = {
        "Call Title": pa.repeat("Call", len(minutes)),
        "Call direction": pa.repeat("Outbound", len(minutes)),
        "Call duration (HH:mm:ss)": text.clock(minutes * 60),
        "Call outcome": pa.repeat("Connected", len(minutes)),
        "Call status": pa.repeat("Completed", len(minutes)),
    }
    return _activity(records, "hubspot/calls", of, "Call notes")


def _emails(records: SystemRecords) -> Export:
    rows = len(records.row_numbers("activities"))
    of = {
        "Email subject": pa.repeat("Follow-up", rows),
        "Email direction": pa.repeat("Outgoing email", rows),
        "Email send status": pa.repeat("Sent", rows),
    }
    return _activity(records, "hubspot/emails", of, "Email body")


def _meetings(records: SystemRecords) -> Export:
    at, minutes = records.array("activities", "at"), records.array("activities", "minutes")
    of = {
        "Meeting name": pa.repeat("Meeting", len(at)),
        "Meeting outcome": pa.repeat("Completed", len(at)),
        "Meeting start time": text.utc_minutes(at),
        "Meeting end time": text.utc_minutes(at + minutes * 60),
    }
    return _activity(records, "hubspot/meetings", of, "Internal meeting notes")


def _notes(records: SystemRecords) -> Export:
    return _activity(records, "hubspot/notes", {}, "Note body")


def _tickets(records: SystemRecords) -> Export:
    """Return tickets; the order's number and the customer's rating are properties that the company added."""
    chunk, open_ = records.chunk, records.array("tickets", "open")
    complaint = records.array("tickets", "complaint").astype(np.int64)
    satisfaction = records.array("tickets", "satisfaction")
    created, resolved = records.array("tickets", "created_at"), records.array("tickets", "resolved_at")
    dirt = Dirt(chunk, "hubspot/tickets")
    columns = {
        "Record ID": ids.hubspot("tickets", records.column("tickets", "ticket_id")),
        "Ticket name": records.column("tickets", "subject"),
        "Ticket status": text.either(open_, "New", "Closed"),
        "Pipeline": pa.repeat(_SUPPORT, len(open_)),
        "Priority": text.pick(("Medium", "High"), complaint),
        "Category": text.pick(("question", "complaint"), complaint),
        "Source": pa.repeat("Chat", len(open_)),
        "Ticket owner": records.user_column("tickets", "name", "agent"),
        "Order number": chunk.column("orders", "order_id", records.array("tickets", "order")),
        "Satisfaction": text.null_where(text.integers(satisfaction), satisfaction == 0),
        f'Date entered "New ({_SUPPORT})"': text.utc_minutes(created),
        f'Date entered "Closed ({_SUPPORT})"': text.null_where(text.utc_minutes(resolved), open_),
        "Close date": text.null_where(text.utc_minutes(resolved), open_),
        "Associated Contact IDs": _contact_ids(
            records, first_contacts(chunk, records.array("tickets", "row"))
        ),
        "Create date": text.utc_minutes(created),
        "Last modified date": text.utc_minutes(np.where(open_, created, resolved)),
    }
    return dirt.export(columns, records.array("tickets", "person"), QUOTED)
