"""A CRM's exports, of no particular make: CSV in English snake_case, moments in UTC.

It is the service desk, too, of offices whose CRM has none: those of 悟空 and 伙伴云.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.plants import CHANNELS, LOSS_REASONS
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import KINDS, LOST, OPEN, OUTCOMES, STAGES
from lakehouse.sample.company.writers.export import GENERATED, Dirt, Export
from lakehouse.sample.company.writers.part import (
    Part,
    emails,
    family_names,
    first_contacts,
    full_names,
    given_names,
    held_by,
    or_null,
    phones,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Ints
    from lakehouse.sample.company.world.chunk import Chunk

_NAMES = [city.name for city in CITIES]
_PROVINCES = [city.province_code for city in CITIES]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what the CRM writes."""
    part, asks = held_by(chunk, "crm"), held_by(chunk, "crm", "wukong", "huoban")
    if not part.none:
        if part.begins_team:
            yield _users(chunk)
        yield _contacts(part)
        yield _customer_attributes(part)
        yield _ownerships(part)
        yield _deals(part)
        yield _deal_stages(part)
        yield _activities(part)
        yield _leads(part)
    if not asks.none:
        yield _tickets(asks)


def _users(chunk: Chunk) -> Export:
    """Who logs in to the CRM."""
    columns = {name: chunk.texts("staff", name) for name in ("user_id", "name", "email", "role", "team")}
    active = text_columns.pick(("no", "yes"), chunk.of("staff", "active").astype(np.int64))
    columns |= {"is_active": active, "source": pa.repeat(GENERATED, len(active))}
    return Export("crm/users", pa.table(columns))


def _contacts(part: Part) -> Export:
    row = part.of("contacts", "row")
    city = part.chunk.of("persons", "city")[row]
    dirt = Dirt(part.chunk, "crm/contacts")
    updated, consent = part.of("contacts", "updated_at"), part.texts("contacts", "consent")
    columns = {
        "contact_id": part.texts("contacts", "contact_id"),
        "name": dirt.words("name", text_columns.joined(family_names(part), given_names(part))),
        "phone": dirt.phones("phone", phones(part)),
        "email": dirt.emails("email", emails(part)),
        "birth_year": text_columns.plain(part.chunk.of("persons", "birth_year")[row]),
        "region_code": text_columns.pick(_PROVINCES, city),
        "city": dirt.words("city", text_columns.pick(_NAMES, city)),
        "address": part.persons("contacts", "address"),
        "owner_id": part.user("contacts", "user_id"),
        "marketing_consent": consent,
        "marketing_consent_at": pc.if_else(pc.equal(consent, ""), None, text_columns.universal(updated)),
        "created_at": text_columns.universal(part.of("contacts", "created_at")),
        "updated_at": text_columns.universal(updated),
        "remark": dirt.optional("remark", pa.nulls(len(row), pa.string())),
        "lead_source": pa.repeat(GENERATED, len(row)),
    }
    return dirt.export(columns, part.of("contacts", "person"))


def _customer_attributes(part: Part) -> Export:
    """Return what contacts said of their families: the year in which the youngest child was born."""
    child = part.chunk.of("persons", "child_birth_year")[part.of("contacts", "row")]
    columns = {
        "record_id": part.texts("contacts", "contact_id"),
        "attribute": pa.repeat("child_birth_year", len(child)),
        "value": text_columns.plain(child),
        "declared_by": pa.repeat("customer", len(child)),
        "declared_at": text_columns.universal(part.of("contacts", "updated_at")),
    }
    told = Export("crm/customer_attributes", pa.table(columns), part.of("contacts", "person"))
    return told.only(child > 0)


def _ownerships(part: Part) -> Export:
    """Return who has looked after each contact, and since when."""
    contact, user = part.texts("contacts", "contact_id"), part.user("contacts", "user_id")
    columns = {
        "ownership_id": text_columns.joined(contact, "-", user),
        "user_id": user,
        "contact_id": contact,
        "owned_from": text_columns.universal(part.of("contacts", "created_at")),
    }
    return Export("crm/ownerships", pa.table(columns), part.of("contacts", "person"))


def _leads(part: Part) -> Export:
    status, row = part.texts("leads", "status"), part.of("leads", "row")
    converted = np.where(
        pc.equal(status, "converted").to_numpy(zero_copy_only=False), first_contacts(part.chunk, row), -1
    )
    dirt = Dirt(part.chunk, "crm/leads")
    columns = {
        "lead_id": part.texts("leads", "lead_id"),
        "name": dirt.words("name", full_names(part, "leads")),
        "phone": dirt.phones("phone", part.persons("leads", "phone")),
        "city": text_columns.pick(_NAMES, part.chunk.of("persons", "city")[row]),
        "channel": text_columns.pick(CHANNELS, part.of("leads", "channel")),
        "status": status,
        "converted_contact_id": _contact_ids(part, converted),
        "owner_id": part.user("leads", "user_id"),
        "created_at": text_columns.universal(part.of("leads", "created_at")),
        "source": pa.repeat(GENERATED, len(row)),
    }
    return dirt.export(columns, part.of("leads", "person"))


def _contact_ids(part: Part, contact: Ints) -> pa.Array:
    return or_null(part.chunk.texts("contacts", "contact_id"), contact)


def _deals(part: Part) -> Export:
    contact, outcome = part.of("deals", "contact"), part.of("deals", "outcome")
    reason = np.maximum(part.of("deals", "reason"), 0)
    columns = {
        "deal_id": part.texts("deals", "deal_id"),
        "contact_id": _contact_ids(part, contact),
        "name": text_columns.joined(part.texts("deals", "product"), " ", part.texts("deals", "deal_id")),
        "amount": text_columns.money(part.of("deals", "amount")),
        "currency": pa.repeat("CNY", len(contact)),
        "channel": text_columns.pick(CHANNELS, part.of("deals", "channel")),
        "status": text_columns.pick(OUTCOMES, outcome),
        "loss_reason": text_columns.blank(text_columns.pick(LOSS_REASONS, reason), outcome != LOST),
        "owner_id": part.user("deals", "user_id"),
        "created_at": text_columns.universal(part.of("deals", "created_at")),
        "closed_at": text_columns.blank(
            text_columns.universal(part.of("deals", "closed_at")), outcome == OPEN
        ),
        "source": pa.repeat(GENERATED, len(contact)),
    }
    return Export("crm/deals", pa.table(columns), part.of("deals", "person"))


def _deal_stages(part: Part) -> Export:
    """Return the history of stages: a row for each that a deal entered."""
    deal, step = (
        part.chunk.texts("deals", "deal_id", part.of("stages", "deal")),
        text_columns.plain(part.of("stages", "step")),
    )
    columns = {
        "change_id": text_columns.joined(deal, "-", step),
        "deal_id": deal,
        "step": step,
        "stage": text_columns.pick((*STAGES, *OUTCOMES[1:]), part.of("stages", "stage")),
        "entered_at": text_columns.universal(part.of("stages", "entered_at")),
    }
    return Export("crm/deal_stages", pa.table(columns), part.of("stages", "person"))


def _activities(part: Part) -> Export:
    """Return calls, e-mails, meetings and notes; an empty note is an empty field."""
    kind, deal = part.of("activities", "kind"), part.of("activities", "deal")
    spoken = np.isin(kind, (KINDS.index("call"), KINDS.index("meeting")))
    columns = {
        "activity_id": part.texts("activities", "activity_id"),
        "kind": text_columns.pick(KINDS, kind),
        "contact_id": _contact_ids(part, part.of("activities", "contact")),
        "deal_id": or_null(part.chunk.texts("deals", "deal_id"), deal),
        "user_id": part.user("activities", "user_id"),
        "duration_s": text_columns.blank(text_columns.plain(part.of("activities", "minutes") * 60), ~spoken),
        "body": part.texts("activities", "note"),
        "occurred_at": text_columns.universal(part.of("activities", "at")),
    }
    return Export("crm/activities", pa.table(columns), part.of("activities", "person"))


def _tickets(part: Part) -> Export:
    """Tickets; they name the shop's customer and order, and the person's first contact where it has one."""
    chunk, order = part.chunk, part.of("tickets", "order")
    complaint, open_ = part.of("tickets", "complaint").astype(np.int64), part.of("tickets", "open")
    satisfaction, created = part.of("tickets", "satisfaction"), part.of("tickets", "created_at")
    contact = first_contacts(chunk, part.of("tickets", "row"))
    own = held_by(chunk, "crm").rows("contacts")
    resolved = part.of("tickets", "resolved_at")
    dirt = Dirt(chunk, "crm/tickets")
    columns = {
        "ticket_id": part.texts("tickets", "ticket_id"),
        "contact_id": _contact_ids(part, np.where(np.isin(contact, own), contact, -1)),
        "customer_id": chunk.texts("accounts", "customer_id", chunk.of("orders", "account")[order]),
        "order_id": chunk.texts("orders", "order_id", order),
        "kind": text_columns.pick(("question", "complaint"), complaint),
        "priority": text_columns.pick(("normal", "high"), complaint),
        "subject": part.texts("tickets", "subject"),
        "status": text_columns.pick(("closed", "open"), open_.astype(np.int64)),
        "satisfaction": text_columns.blank(text_columns.plain(satisfaction), satisfaction == 0),
        "owner_id": part.user("tickets", "user_id", "agent"),
        "created_at": text_columns.universal(created),
        "closed_at": text_columns.blank(text_columns.universal(resolved), open_),
        "updated_at": text_columns.universal(np.where(open_, created, resolved)),
        "source": pa.repeat(GENERATED, len(order)),
    }
    return dirt.export(columns, part.of("tickets", "person"))
