"""A CRM's exports, of no particular make: CSV in English snake_case, moments in UTC.

It is the service desk, too, of offices whose CRM has none: those of 悟空 and 伙伴云.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS, LOSS_REASONS
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import KINDS, LOST, OPEN, OUTCOMES, STAGES
from lakehouse.sample.company.writers.export import GENERATED, Dirt, Export
from lakehouse.sample.company.writers.system_records import (
    SystemRecords,
    emails,
    family_names,
    first_contacts,
    full_names,
    given_names,
    or_null,
    phones,
    records_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Ints
    from lakehouse.sample.company.world.chunk import Chunk

_NAMES = [city.name for city in CITIES]
_PROVINCES = [city.province_code for city in CITIES]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what the CRM writes."""
    records, asks = records_of(chunk, "crm"), records_of(chunk, "crm", "wukong", "huoban")
    if not records.is_empty:
        if records.starts_team:
            yield _users(chunk)
        yield _contacts(records)
        yield _customer_attributes(records)
        yield _ownerships(records)
        yield _deals(records)
        yield _deal_stages(records)
        yield _activities(records)
        yield _leads(records)
    if not asks.is_empty:
        yield _tickets(asks)


def _users(chunk: Chunk) -> Export:
    """Who logs in to the CRM."""
    columns = {name: chunk.column("staff", name) for name in ("user_id", "name", "email", "role", "team")}
    active = text.either(chunk.array("staff", "active"), "yes", "no")
    columns |= {"is_active": active, "source": pa.repeat(GENERATED, len(active))}
    return Export("crm/users", pa.table(columns))


def _contacts(records: SystemRecords) -> Export:
    row = records.array("contacts", "row")
    city = records.chunk.array("persons", "city")[row]
    dirt = Dirt(records.chunk, "crm/contacts")
    updated, consent = records.array("contacts", "updated_at"), records.column("contacts", "consent")
    columns = {
        "contact_id": records.column("contacts", "contact_id"),
        "name": dirt.words("name", text.joined(family_names(records), given_names(records))),
        "phone": dirt.phones("phone", phones(records)),
        "email": dirt.emails("email", emails(records)),
        "birth_year": text.integers(records.chunk.array("persons", "birth_year")[row]),
        "region_code": text.pick(_PROVINCES, city),
        "city": dirt.words("city", text.pick(_NAMES, city)),
        "address": records.person_column("contacts", "address"),
        "owner_id": records.user_column("contacts", "user_id"),
        "marketing_consent": consent,
        "marketing_consent_at": pc.if_else(pc.equal(consent, ""), None, text.utc_iso(updated)),
        "created_at": text.utc_iso(records.array("contacts", "created_at")),
        "updated_at": text.utc_iso(updated),
        "remark": dirt.optional("remark", pa.nulls(len(row), pa.string())),
        "lead_source": pa.repeat(GENERATED, len(row)),
    }
    return dirt.export(columns, records.array("contacts", "person"))


def _customer_attributes(records: SystemRecords) -> Export:
    """Return what contacts said of their families: the year in which the youngest child was born."""
    child = records.chunk.array("persons", "child_birth_year")[records.array("contacts", "row")]
    columns = {
        "record_id": records.column("contacts", "contact_id"),
        "attribute": pa.repeat("child_birth_year", len(child)),
        "value": text.integers(child),
        "declared_by": pa.repeat("customer", len(child)),
        "declared_at": text.utc_iso(records.array("contacts", "updated_at")),
    }
    told = Export("crm/customer_attributes", pa.table(columns), records.array("contacts", "person"))
    return told.only(child > 0)


def _ownerships(records: SystemRecords) -> Export:
    """Return who has looked after each contact, and since when."""
    contact, user = records.column("contacts", "contact_id"), records.user_column("contacts", "user_id")
    columns = {
        "ownership_id": text.joined(contact, "-", user),
        "user_id": user,
        "contact_id": contact,
        "owned_from": text.utc_iso(records.array("contacts", "created_at")),
    }
    return Export("crm/ownerships", pa.table(columns), records.array("contacts", "person"))


def _leads(records: SystemRecords) -> Export:
    status, row = records.column("leads", "status"), records.array("leads", "row")
    converted = np.where(
        pc.equal(status, "converted").to_numpy(zero_copy_only=False), first_contacts(records.chunk, row), -1
    )
    dirt = Dirt(records.chunk, "crm/leads")
    columns = {
        "lead_id": records.column("leads", "lead_id"),
        "name": dirt.words("name", full_names(records, "leads")),
        "phone": dirt.phones("phone", records.person_column("leads", "phone")),
        "city": text.pick(_NAMES, records.chunk.array("persons", "city")[row]),
        "channel": text.pick(CHANNELS, records.array("leads", "channel")),
        "status": status,
        "converted_contact_id": _contact_ids(records, converted),
        "owner_id": records.user_column("leads", "user_id"),
        "created_at": text.utc_iso(records.array("leads", "created_at")),
        "source": pa.repeat(GENERATED, len(row)),
    }
    return dirt.export(columns, records.array("leads", "person"))


def _contact_ids(records: SystemRecords, contact: Ints) -> pa.Array:
    return or_null(records.chunk.column("contacts", "contact_id"), contact)


def _deals(records: SystemRecords) -> Export:
    contact, outcome = records.array("deals", "contact"), records.array("deals", "outcome")
    reason = np.maximum(records.array("deals", "reason"), 0)
    columns = {
        "deal_id": records.column("deals", "deal_id"),
        "contact_id": _contact_ids(records, contact),
        "name": text.joined(records.column("deals", "product"), " ", records.column("deals", "deal_id")),
        "amount": text.money(records.array("deals", "amount")),
        "currency": pa.repeat("CNY", len(contact)),
        "channel": text.pick(CHANNELS, records.array("deals", "channel")),
        "status": text.pick(OUTCOMES, outcome),
        "loss_reason": text.null_where(text.pick(LOSS_REASONS, reason), outcome != LOST),
        "owner_id": records.user_column("deals", "user_id"),
        "created_at": text.utc_iso(records.array("deals", "created_at")),
        "closed_at": text.null_where(text.utc_iso(records.array("deals", "closed_at")), outcome == OPEN),
        "source": pa.repeat(GENERATED, len(contact)),
    }
    return Export("crm/deals", pa.table(columns), records.array("deals", "person"))


def _deal_stages(records: SystemRecords) -> Export:
    """Return the history of stages: a row for each that a deal entered."""
    deal, step = (
        records.chunk.column("deals", "deal_id", records.array("stages", "deal")),
        text.integers(records.array("stages", "step")),
    )
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
    kind, deal = records.array("activities", "kind"), records.array("activities", "deal")
    spoken = np.isin(kind, (KINDS.index("call"), KINDS.index("meeting")))
    columns = {
        "activity_id": records.column("activities", "activity_id"),
        "kind": text.pick(KINDS, kind),
        "contact_id": _contact_ids(records, records.array("activities", "contact")),
        "deal_id": or_null(records.chunk.column("deals", "deal_id"), deal),
        "user_id": records.user_column("activities", "user_id"),
        "duration_s": text.null_where(text.integers(records.array("activities", "minutes") * 60), ~spoken),
        "body": records.column("activities", "note"),
        "occurred_at": text.utc_iso(records.array("activities", "at")),
    }
    return Export("crm/activities", pa.table(columns), records.array("activities", "person"))


def _tickets(records: SystemRecords) -> Export:
    """Tickets; they name the shop's customer and order, and the person's first contact where it has one."""
    chunk, order = records.chunk, records.array("tickets", "order")
    complaint, open_ = (
        records.array("tickets", "complaint").astype(np.int64),
        records.array("tickets", "open"),
    )
    satisfaction, created = records.array("tickets", "satisfaction"), records.array("tickets", "created_at")
    contact = first_contacts(chunk, records.array("tickets", "row"))
    own = records_of(chunk, "crm").row_numbers("contacts")
    resolved = records.array("tickets", "resolved_at")
    dirt = Dirt(chunk, "crm/tickets")
    columns = {
        "ticket_id": records.column("tickets", "ticket_id"),
        "contact_id": _contact_ids(records, np.where(np.isin(contact, own), contact, -1)),
        "customer_id": chunk.column("accounts", "customer_id", chunk.array("orders", "account")[order]),
        "order_id": chunk.column("orders", "order_id", order),
        "kind": text.pick(("question", "complaint"), complaint),
        "priority": text.pick(("normal", "high"), complaint),
        "subject": records.column("tickets", "subject"),
        "status": text.either(open_, "open", "closed"),
        "satisfaction": text.null_where(text.integers(satisfaction), satisfaction == 0),
        "owner_id": records.user_column("tickets", "user_id", "agent"),
        "created_at": text.utc_iso(created),
        "closed_at": text.null_where(text.utc_iso(resolved), open_),
        "updated_at": text.utc_iso(np.where(open_, created, resolved)),
        "source": pa.repeat(GENERATED, len(order)),
    }
    return dirt.export(columns, records.array("tickets", "person"))
