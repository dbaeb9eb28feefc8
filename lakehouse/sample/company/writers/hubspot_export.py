"""HubSpot's CSV exports: all properties and associations, English labels, every value quoted, times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.plants import CHANNELS, LOSS_REASONS
from lakehouse.sample.company.random_arrays import Ints
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import KINDS, LOST, OPEN, WON
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, QUOTED, Dirt, Export
from lakehouse.sample.company.writers.part import (
    Part,
    emails,
    family_names,
    first_contacts,
    given_names,
    held_by,
    last_stages,
    or_null,
    phones,
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
    part = held_by(chunk, "hubspot")
    if part.none:
        return
    yield _contacts(part)
    yield _deals(part)
    for kind, write in (("call", _calls), ("email", _emails), ("meeting", _meetings), ("note", _notes)):
        yield write(part.only("activities", part.of("activities", "kind") == KINDS.index(kind)))
    yield _tickets(part)


def _contacts(part: Part) -> Export:
    city = part.chunk.of("persons", "city")[part.of("contacts", "row")]
    updated, consent = part.of("contacts", "updated_at"), part.texts("contacts", "consent")
    dirt = Dirt(part.chunk, "hubspot/contacts")
    columns = {
        "Record ID": ids.hubspot("contacts", part.texts("contacts", "contact_id")),
        "First Name": dirt.words("First Name", given_names(part)),
        "Last Name": family_names(part),
        "Email": dirt.emails("Email", emails(part)),
        "Phone Number": dirt.phones("Phone Number", phones(part)),
        "Contact owner": part.user("contacts", "name"),
        "Lifecycle Stage": pa.repeat("Customer", len(city)),
        "Marketing consent": text_columns.pick(
            ("", "Yes", "No"),
            pc.index_in(consent, pa.array(["", "yes", "no"])).to_numpy(zero_copy_only=False),
        ),
        "Marketing consent date": pc.if_else(pc.equal(consent, ""), "", text_columns.utc_minutes(updated)),
        "Street Address": part.persons("contacts", "address"),
        "City": dirt.words("City", text_columns.pick([place.name for place in CITIES], city)),
        "State/Region": text_columns.pick([place.province for place in CITIES], city),
        "State/Region Code": text_columns.pick([place.province_code[-2:] for place in CITIES], city),
        "Country/Region": pa.repeat("China", len(city)),
        "Country/Region Code": pa.repeat("CN", len(city)),
        "Original Source": pa.repeat(GENERATED, len(city)),
        "Create Date": text_columns.utc_minutes(part.of("contacts", "created_at")),
        "Last Modified Date": text_columns.utc_minutes(updated),
    }
    return dirt.export(columns, part.of("contacts", "person"), QUOTED)


def _deals(part: Part) -> Export:
    """Return deals; each stage of the pipeline has a column for when the deal entered it."""
    chunk, rows = part.chunk, part.rows("deals")
    outcome, closed = part.of("deals", "outcome"), part.of("deals", "closed_at")
    entered = stage_moments(chunk, len(STAGES))[rows]
    columns = {
        "Record ID": ids.hubspot("deals", part.texts("deals", "deal_id")),
        "Deal Name": text_columns.joined(part.texts("deals", "product"), " ", part.texts("deals", "deal_id")),
        "Deal Stage": text_columns.pick(STAGES, last_stages(chunk)[rows]),
        "Pipeline": pa.repeat(_SALES, len(rows)),
        "Amount": text_columns.money(part.of("deals", "amount")),
        "Currency": pa.repeat("CNY", len(rows)),
        "Close Date": text_columns.blank(text_columns.utc_minutes(closed), outcome == OPEN),
        "Deal owner": part.user("deals", "name"),
        "Is Deal Closed?": text_columns.pick(("true", "false"), (outcome == OPEN).astype(np.int64)),
        "Is Closed Won": text_columns.pick(("false", "true"), (outcome == WON).astype(np.int64)),
        "Closed Lost Reason": text_columns.blank(
            text_columns.pick(LOSS_REASONS, np.maximum(part.of("deals", "reason"), 0)), outcome != LOST
        ),
        "Original Traffic Source": text_columns.pick(CHANNELS, part.of("deals", "channel")),
        **{
            f'Date entered "{stage} ({_SALES})"': text_columns.blank(
                text_columns.utc_minutes(entered[:, number]), entered[:, number] < 0
            )
            for number, stage in enumerate(STAGES)
        },
        "Associated Contact IDs": _contact_ids(part, part.of("deals", "contact")),
        "Create Date": text_columns.utc_minutes(part.of("deals", "created_at")),
        "Last Modified Date": text_columns.utc_minutes(entered.max(axis=1, initial=0)),
    }
    return Export("hubspot/deals", pa.table(columns), part.of("deals", "person"), form=QUOTED)


def _contact_ids(part: Part, contact: Ints) -> pa.Array:
    return or_null(ids.hubspot("contacts", part.chunk.texts("contacts", "contact_id")), contact)


def _activity(part: Part, place: str, of: dict[str, pa.Array], note: str) -> Export:
    """Return activities of one kind: what its export has of its own, and what all have."""
    chunk, at = part.chunk, text_columns.utc_minutes(part.of("activities", "at"))
    deals = ids.hubspot("deals", chunk.texts("deals", "deal_id"))
    columns = {
        "Record ID": ids.hubspot("activities", part.texts("activities", "activity_id")),
        **of,
        note: part.texts("activities", "note"),
        "Activity date": at,
        "Activity assigned to": part.user("activities", "name"),
        "Associated Contact IDs": _contact_ids(part, part.of("activities", "contact")),
        "Associated Deal IDs": or_null(deals, part.of("activities", "deal")),
        "Create date": at,
        "Last modified date": at,
    }
    return Export(place, pa.table(columns), part.of("activities", "person"), form=QUOTED)


def _calls(part: Part) -> Export:
    minutes = part.of("activities", "minutes")
    of = {
        "Call Title": pa.repeat("Call", len(minutes)),
        "Call direction": pa.repeat("Outbound", len(minutes)),
        "Call duration (HH:mm:ss)": text_columns.clock(minutes * 60),
        "Call outcome": pa.repeat("Connected", len(minutes)),
        "Call status": pa.repeat("Completed", len(minutes)),
    }
    return _activity(part, "hubspot/calls", of, "Call notes")


def _emails(part: Part) -> Export:
    rows = len(part.rows("activities"))
    of = {
        "Email subject": pa.repeat("Follow-up", rows),
        "Email direction": pa.repeat("Outgoing email", rows),
        "Email send status": pa.repeat("Sent", rows),
    }
    return _activity(part, "hubspot/emails", of, "Email body")


def _meetings(part: Part) -> Export:
    at, minutes = part.of("activities", "at"), part.of("activities", "minutes")
    of = {
        "Meeting name": pa.repeat("Meeting", len(at)),
        "Meeting outcome": pa.repeat("Completed", len(at)),
        "Meeting start time": text_columns.utc_minutes(at),
        "Meeting end time": text_columns.utc_minutes(at + minutes * 60),
    }
    return _activity(part, "hubspot/meetings", of, "Internal meeting notes")


def _notes(part: Part) -> Export:
    return _activity(part, "hubspot/notes", {}, "Note body")


def _tickets(part: Part) -> Export:
    """Return tickets; the order's number and the customer's rating are properties that the company added."""
    chunk, open_ = part.chunk, part.of("tickets", "open")
    complaint = part.of("tickets", "complaint").astype(np.int64)
    satisfaction = part.of("tickets", "satisfaction")
    created, resolved = part.of("tickets", "created_at"), part.of("tickets", "resolved_at")
    dirt = Dirt(chunk, "hubspot/tickets")
    columns = {
        "Record ID": ids.hubspot("tickets", part.texts("tickets", "ticket_id")),
        "Ticket name": part.texts("tickets", "subject"),
        "Ticket status": text_columns.pick(("Closed", "New"), open_.astype(np.int64)),
        "Pipeline": pa.repeat(_SUPPORT, len(open_)),
        "Priority": text_columns.pick(("Medium", "High"), complaint),
        "Category": text_columns.pick(("question", "complaint"), complaint),
        "Source": pa.repeat("Chat", len(open_)),
        "Ticket owner": part.user("tickets", "name", "agent"),
        "Order number": chunk.texts("orders", "order_id", part.of("tickets", "order")),
        "Satisfaction": text_columns.blank(text_columns.plain(satisfaction), satisfaction == 0),
        f'Date entered "New ({_SUPPORT})"': text_columns.utc_minutes(created),
        f'Date entered "Closed ({_SUPPORT})"': text_columns.blank(text_columns.utc_minutes(resolved), open_),
        "Close date": text_columns.blank(text_columns.utc_minutes(resolved), open_),
        "Associated Contact IDs": _contact_ids(part, first_contacts(chunk, part.of("tickets", "row"))),
        "Create date": text_columns.utc_minutes(created),
        "Last modified date": text_columns.utc_minutes(np.where(open_, created, resolved)),
    }
    return dirt.export(columns, part.of("tickets", "person"), QUOTED)
