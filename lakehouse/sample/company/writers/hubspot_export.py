"""HubSpot's CSV exports: all properties and associations, English labels, every value quoted, times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS
from lakehouse.sample.company.units import MINUTE
from lakehouse.sample.company.world.places import PROVINCE_CODES
from lakehouse.sample.company.world.selling import KINDS, OPEN, WON
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers import shared_columns as shared
from lakehouse.sample.company.writers.export import GENERATED, QUOTED, DirtyExport, Export
from lakehouse.sample.company.writers.system_records import records_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Ints
    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.writers.system_records import SystemRecords

STAGES = (
    "Appointment Scheduled",
    "Qualified To Buy",
    "Presentation Scheduled",
    "Contract Sent",
    "Closed Won",
    "Closed Lost",
)
_SALES, _SUPPORT = "Sales Pipeline", "Support Pipeline"
_CONSENTS = {"": "", "yes": "Yes", "no": "No"}  # the world's: HubSpot's
_SHORT_PROVINCE_CODES = [code.removeprefix("CN-") for code in PROVINCE_CODES]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what HubSpot writes of the customers whose office works with it."""
    records = records_of(chunk, "hubspot")
    if records.is_empty:
        return
    yield _contacts(records)
    yield _deals(records)
    for kind, write in (("call", _calls), ("email", _emails), ("meeting", _meetings), ("note", _notes)):
        is_kind = records.array("activities", "kind") == KINDS.index(kind)
        yield write(records.filtered("activities", is_kind))
    yield _tickets(records)


def _contacts(records: SystemRecords) -> Export:
    dirty = DirtyExport(records.chunk, "hubspot/contacts")
    rows = len(records.row_numbers("contacts"))
    updated, consent = (
        text.utc_minutes(records.array("contacts", "updated_at")),
        records.column("contacts", "consent"),
    )
    consent_index = pc.index_in(consent, pa.array(list(_CONSENTS))).to_numpy(zero_copy_only=False)
    city = records.person_array("contacts", "city")
    columns = {
        "Record ID": ids.hubspot("contacts", records.column("contacts", "contact_id")),
        "First Name": dirty.texts("First Name", shared.given_names(records)),
        "Last Name": shared.family_names(records),
        "Email": dirty.emails("Email", shared.emails(records)),
        "Phone Number": dirty.phones("Phone Number", shared.phones(records)),
        "Contact owner": records.user_column("contacts", "name"),
        "Lifecycle Stage": pa.repeat("Customer", rows),
        "Marketing consent": text.pick(list(_CONSENTS.values()), consent_index),
        "Marketing consent date": pc.if_else(pc.equal(consent, ""), "", updated),
        "Street Address": records.person_column("contacts", "address"),
        "City": dirty.texts("City", shared.city_names(records, "contacts")),
        "State/Region": shared.province_names(records, "contacts"),
        "State/Region Code": text.pick(_SHORT_PROVINCE_CODES, city),
        "Country/Region": pa.repeat("China", rows),
        "Country/Region Code": pa.repeat("CN", rows),
        "Original Source": pa.repeat(GENERATED, rows),
        "Create Date": text.utc_minutes(records.array("contacts", "created_at")),
        "Last Modified Date": updated,
    }
    return dirty.build(columns, records.array("contacts", "person"), QUOTED)


def _deals(records: SystemRecords) -> Export:
    """Return deals; each stage of the pipeline has a column for when the deal entered it."""
    rows, outcome = records.row_numbers("deals"), records.array("deals", "outcome")
    closed = text.utc_minutes(records.array("deals", "closed_at"))
    entered = shared.stage_moments(records, len(STAGES))
    columns = {
        "Record ID": ids.hubspot("deals", records.column("deals", "deal_id")),
        "Deal Name": shared.deal_titles(records.chunk, rows),
        "Deal Stage": text.pick(STAGES, shared.last_stages(records)),
        "Pipeline": pa.repeat(_SALES, len(rows)),
        "Amount": text.money(records.array("deals", "amount")),
        "Currency": pa.repeat("CNY", len(rows)),
        "Close Date": text.null_where(closed, outcome == OPEN),
        "Deal owner": records.user_column("deals", "name"),
        "Is Deal Closed?": text.either(outcome != OPEN, "true", "false"),
        "Is Closed Won": text.either(outcome == WON, "true", "false"),
        "Closed Lost Reason": shared.loss_reasons(records),
        "Original Traffic Source": text.pick(CHANNELS, records.array("deals", "channel")),
        **_stage_columns(entered),
        "Associated Contact IDs": _contact_ids(records, records.array("deals", "contact")),
        "Create Date": text.utc_minutes(records.array("deals", "created_at")),
        "Last Modified Date": text.utc_minutes(entered.max(axis=1, initial=0)),
    }
    return Export("hubspot/deals", pa.table(columns), records.array("deals", "person"), form=QUOTED)


def _stage_columns(entered: Ints) -> dict[str, pa.Array]:
    """Return a column for each stage, null for deals that never entered it."""
    columns = {}
    for number, stage in enumerate(STAGES):
        moment = entered[:, number]
        columns[f'Date entered "{stage} ({_SALES})"'] = text.null_where(text.utc_minutes(moment), moment < 0)
    return columns


def _contact_ids(records: SystemRecords, contact: Ints) -> pa.Array:
    contact_ids = ids.hubspot("contacts", records.chunk.column("contacts", "contact_id"))
    return text.at_or_null(contact_ids, contact)


def _activity(records: SystemRecords, entity: str, own_columns: dict[str, pa.Array], note: str) -> Export:
    """Return activities of one kind: the columns of their export alone, and those that all have."""
    at = text.utc_minutes(records.array("activities", "at"))
    deal_ids = ids.hubspot("deals", records.chunk.column("deals", "deal_id"))
    columns = {
        "Record ID": ids.hubspot("activities", records.column("activities", "activity_id")),
        **own_columns,
        note: records.column("activities", "note"),
        "Activity date": at,
        "Activity assigned to": records.user_column("activities", "name"),
        "Associated Contact IDs": _contact_ids(records, records.array("activities", "contact")),
        "Associated Deal IDs": text.at_or_null(deal_ids, records.array("activities", "deal")),
        "Create date": at,
        "Last modified date": at,
    }
    return Export(entity, pa.table(columns), records.array("activities", "person"), form=QUOTED)


def _calls(records: SystemRecords) -> Export:
    minutes = records.array("activities", "minutes")
    own_columns = {
        "Call Title": pa.repeat("Call", len(minutes)),
        "Call direction": pa.repeat("Outbound", len(minutes)),
        "Call duration (HH:mm:ss)": text.clock(minutes * MINUTE),
        "Call outcome": pa.repeat("Connected", len(minutes)),
        "Call status": pa.repeat("Completed", len(minutes)),
    }
    return _activity(records, "hubspot/calls", own_columns, "Call notes")


def _emails(records: SystemRecords) -> Export:
    rows = len(records.row_numbers("activities"))
    own_columns = {
        "Email subject": pa.repeat("Follow-up", rows),
        "Email direction": pa.repeat("Outgoing email", rows),
        "Email send status": pa.repeat("Sent", rows),
    }
    return _activity(records, "hubspot/emails", own_columns, "Email body")


def _meetings(records: SystemRecords) -> Export:
    at, minutes = records.array("activities", "at"), records.array("activities", "minutes")
    own_columns = {
        "Meeting name": pa.repeat("Meeting", len(at)),
        "Meeting outcome": pa.repeat("Completed", len(at)),
        "Meeting start time": text.utc_minutes(at),
        "Meeting end time": text.utc_minutes(at + minutes * MINUTE),
    }
    return _activity(records, "hubspot/meetings", own_columns, "Internal meeting notes")


def _notes(records: SystemRecords) -> Export:
    return _activity(records, "hubspot/notes", {}, "Note body")


def _tickets(records: SystemRecords) -> Export:
    """Return tickets; the order's number and the customer's rating are properties that the company added."""
    dirty = DirtyExport(records.chunk, "hubspot/tickets")
    chunk, is_open = records.chunk, records.array("tickets", "open")
    contact = shared.first_contacts(chunk, records.array("tickets", "row"))
    created = text.utc_minutes(records.array("tickets", "created_at"))
    resolved = text.null_where(text.utc_minutes(records.array("tickets", "resolved_at")), is_open)
    columns = {
        "Record ID": ids.hubspot("tickets", records.column("tickets", "ticket_id")),
        "Ticket name": records.column("tickets", "subject"),
        "Ticket status": text.either(is_open, "New", "Closed"),
        "Pipeline": pa.repeat(_SUPPORT, len(is_open)),
        "Priority": text.either(records.array("tickets", "complaint"), "High", "Medium"),
        "Category": shared.ticket_kinds(records),
        "Source": pa.repeat("Chat", len(is_open)),
        "Ticket owner": records.user_column("tickets", "name", "agent"),
        "Order number": shared.order_numbers(chunk, records.array("tickets", "order")),
        "Satisfaction": shared.satisfaction(records),
        f'Date entered "New ({_SUPPORT})"': created,
        f'Date entered "Closed ({_SUPPORT})"': resolved,
        "Close date": resolved,
        "Associated Contact IDs": _contact_ids(records, contact),
        "Create date": created,
        "Last modified date": text.utc_minutes(shared.tickets_updated(records)),
    }
    return dirty.build(columns, records.array("tickets", "person"), QUOTED)
