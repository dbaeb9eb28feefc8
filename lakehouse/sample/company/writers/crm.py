"""A CRM's exports, of no particular make: CSV in English snake_case, moments in UTC.

It is the service desk, too, of offices whose CRM has none: those of 悟空 and 伙伴云.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS
from lakehouse.sample.company.units import MINUTE
from lakehouse.sample.company.world.selling import KINDS, OPEN, OUTCOMES, STAGES
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers import shared_columns as shared
from lakehouse.sample.company.writers.export import GENERATED, DirtyExport, Export
from lakehouse.sample.company.writers.system_records import LEADS, records_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Ints
    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.writers.system_records import SystemRecords

_SPOKEN = (KINDS.index("call"), KINDS.index("meeting"))  # kinds of activities that have a duration


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what the CRM writes."""
    records = records_of(chunk, "crm")
    if records.starts_team:
        yield _users(chunk)
    if not records.is_empty:
        yield _contacts(records)
        yield _customer_attributes(records)
        yield _ownerships(records)
        yield _deals(records)
        yield _deal_stages(records)
        yield _activities(records)
        yield _leads(records)
    served = records_of(chunk, "crm", "wukong", "huoban")
    if not served.is_empty:
        yield _tickets(served)


def _users(chunk: Chunk) -> Export:
    """Return who logs in to the CRM, and to each system that exports no users of its own, by their ids there."""
    user_ids = chunk.column("staff", "user_id")
    columns = {name: chunk.column("staff", name) for name in ("user_id", "name", "email", "role", "team")}
    columns["is_active"] = text.either(chunk.array("staff", "active"), "yes", "no")
    columns["source"] = pa.repeat(GENERATED, len(user_ids))
    columns["system"] = pa.nulls(len(user_ids), pa.string())
    staff = pa.table(columns)
    lists = [staff]
    for system, ids_there in _users_elsewhere(chunk).items():
        there = staff.set_column(0, "user_id", ids_there)
        system_column = pa.repeat(system, len(user_ids))
        lists.append(there.set_column(there.num_columns - 1, "system", system_column))
    return Export("crm/users", pa.concat_tables(lists).combine_chunks())


def _users_elsewhere(chunk: Chunk) -> dict[str, pa.Array]:
    """Return by system how it names each of the staff: Zoho by a number, the others by name."""
    names, crms = chunk.column("staff", "name"), chunk.scenario.crms
    fills_forms = any(crm in LEADS["jiandaoyun"] for crm in crms)
    systems: dict[str, pa.Array] = {crm: names for crm in ("hubspot", "wukong", "huoban") if crm in crms}
    if "zoho" in crms:
        systems["zoho"] = ids.zoho("users", chunk.column("staff", "user_id"))
    if fills_forms:
        systems["jiandaoyun"] = names
    return systems


def _contacts(records: SystemRecords) -> Export:
    dirty = DirtyExport(records.chunk, "crm/contacts")
    rows = len(records.row_numbers("contacts"))
    updated = text.utc_iso(records.array("contacts", "updated_at"))
    consent = records.column("contacts", "consent")
    columns = {
        "contact_id": records.column("contacts", "contact_id"),
        "name": dirty.texts("name", shared.spelt_names(records)),
        "phone": dirty.phones("phone", shared.phones(records)),
        "email": dirty.emails("email", shared.emails(records)),
        "birth_year": text.integers(records.person_array("contacts", "birth_year")),
        "region_code": shared.province_codes(records, "contacts"),
        "city": dirty.texts("city", shared.city_names(records, "contacts")),
        "address": records.person_column("contacts", "address"),
        "owner_id": records.user_column("contacts", "user_id"),
        "marketing_consent": consent,
        "marketing_consent_at": pc.if_else(pc.equal(consent, ""), None, updated),
        "created_at": text.utc_iso(records.array("contacts", "created_at")),
        "updated_at": updated,
        "remark": dirty.empty_remarks("remark", rows),
        "lead_source": pa.repeat(GENERATED, rows),
    }
    return dirty.build(columns, records.array("contacts", "person"))


def _customer_attributes(records: SystemRecords) -> Export:
    """Return what contacts said of their families: the year in which the youngest child was born."""
    child_born = records.person_array("contacts", "child_birth_year")
    columns = {
        "record_id": records.column("contacts", "contact_id"),
        "attribute": pa.repeat("child_birth_year", len(child_born)),
        "value": text.integers(child_born),
        "declared_by": pa.repeat("customer", len(child_born)),
        "declared_at": text.utc_iso(records.array("contacts", "updated_at")),
    }
    of_all = Export("crm/customer_attributes", pa.table(columns), records.array("contacts", "person"))
    return of_all.filtered(child_born > 0)


def _ownerships(records: SystemRecords) -> Export:
    """Return who has looked after each contact, and since when."""
    contact = records.column("contacts", "contact_id")
    user = records.user_column("contacts", "user_id")
    columns = {
        "ownership_id": text.joined(contact, "-", user),
        "user_id": user,
        "contact_id": contact,
        "owned_from": text.utc_iso(records.array("contacts", "created_at")),
    }
    return Export("crm/ownerships", pa.table(columns), records.array("contacts", "person"))


def _leads(records: SystemRecords) -> Export:
    dirty = DirtyExport(records.chunk, "crm/leads")
    columns = {
        "lead_id": records.column("leads", "lead_id"),
        "name": dirty.texts("name", shared.full_names(records, "leads")),
        "phone": dirty.phones("phone", records.person_column("leads", "phone")),
        "city": shared.city_names(records, "leads"),
        "channel": text.pick(CHANNELS, records.array("leads", "channel")),
        "status": records.column("leads", "status"),
        "converted_contact_id": _contact_ids(records, shared.converted_contacts(records)),
        "owner_id": records.user_column("leads", "user_id"),
        "created_at": text.utc_iso(records.array("leads", "created_at")),
        "source": pa.repeat(GENERATED, len(records.row_numbers("leads"))),
    }
    return dirty.build(columns, records.array("leads", "person"))


def _contact_ids(records: SystemRecords, contact: Ints) -> pa.Array:
    return text.at_or_null(records.chunk.column("contacts", "contact_id"), contact)


def _deals(records: SystemRecords) -> Export:
    outcome, rows = records.array("deals", "outcome"), records.row_numbers("deals")
    closed = text.utc_iso(records.array("deals", "closed_at"))
    columns = {
        "deal_id": records.column("deals", "deal_id"),
        "contact_id": _contact_ids(records, records.array("deals", "contact")),
        "name": shared.deal_titles(records.chunk, rows),
        "amount": text.money(records.array("deals", "amount")),
        "currency": pa.repeat("CNY", len(rows)),
        "channel": text.pick(CHANNELS, records.array("deals", "channel")),
        "status": text.pick(OUTCOMES, outcome),
        "loss_reason": shared.loss_reasons(records),
        "owner_id": records.user_column("deals", "user_id"),
        "created_at": text.utc_iso(records.array("deals", "created_at")),
        "closed_at": text.null_where(closed, outcome == OPEN),
        "source": pa.repeat(GENERATED, len(rows)),
    }
    return Export("crm/deals", pa.table(columns), records.array("deals", "person"))


def _deal_stages(records: SystemRecords) -> Export:
    """Return the history of stages: a row for each that a deal entered."""
    deal = records.chunk.column("deals", "deal_id", records.array("stages", "deal"))
    step = text.integers(records.array("stages", "step"))
    columns = {
        "change_id": text.joined(deal, "-", step),
        "deal_id": deal,
        "step": step,
        "stage": text.pick((*STAGES, *OUTCOMES[1:]), records.array("stages", "stage")),
        "entered_at": text.utc_iso(records.array("stages", "entered_at")),
    }
    return Export("crm/deal_stages", pa.table(columns), records.array("stages", "person"))


def _activities(records: SystemRecords) -> Export:
    """Return calls, e-mails, meetings and notes; an empty note is an empty field."""
    kind = records.array("activities", "kind")
    seconds = text.integers(records.array("activities", "minutes") * MINUTE)
    deal_ids = records.chunk.column("deals", "deal_id")
    columns = {
        "activity_id": records.column("activities", "activity_id"),
        "kind": text.pick(KINDS, kind),
        "contact_id": _contact_ids(records, records.array("activities", "contact")),
        "deal_id": text.at_or_null(deal_ids, records.array("activities", "deal")),
        "user_id": records.user_column("activities", "user_id"),
        "duration_s": text.null_where(seconds, ~np.isin(kind, _SPOKEN)),
        "body": records.column("activities", "note"),
        "occurred_at": text.utc_iso(records.array("activities", "at")),
    }
    return Export("crm/activities", pa.table(columns), records.array("activities", "person"))


def _tickets(records: SystemRecords) -> Export:
    """Tickets; they name the shop's customer and order, and the person's first contact where it has one."""
    dirty = DirtyExport(records.chunk, "crm/tickets")
    chunk, order, is_open = records.chunk, records.array("tickets", "order"), records.array("tickets", "open")
    account = chunk.array("orders", "account")[order]
    columns = {
        "ticket_id": records.column("tickets", "ticket_id"),
        "contact_id": _contact_ids(records, _own_contacts(records)),
        "customer_id": chunk.column("accounts", "customer_id", account),
        "order_id": shared.order_numbers(chunk, order),
        "kind": shared.ticket_kinds(records),
        "priority": text.either(records.array("tickets", "complaint"), "high", "normal"),
        "subject": records.column("tickets", "subject"),
        "status": text.either(is_open, "open", "closed"),
        "satisfaction": shared.satisfaction(records),
        "owner_id": records.user_column("tickets", "user_id", "agent"),
        "created_at": text.utc_iso(records.array("tickets", "created_at")),
        "closed_at": text.null_where(text.utc_iso(records.array("tickets", "resolved_at")), is_open),
        "updated_at": text.utc_iso(shared.tickets_updated(records)),
        "source": pa.repeat(GENERATED, len(order)),
    }
    return dirty.build(columns, records.array("tickets", "person"))


def _own_contacts(records: SystemRecords) -> Ints:
    """Return the contact of each ticket, as far as this CRM has it: other offices' contacts are in theirs."""
    contact = shared.first_contacts(records.chunk, records.array("tickets", "row"))
    is_own = np.isin(contact, records_of(records.chunk, "crm").row_numbers("contacts"))
    return np.where(is_own, contact, shared.NO_CONTACT)
