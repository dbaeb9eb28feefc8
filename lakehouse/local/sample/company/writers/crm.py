"""A CRM's exports, of no particular make: CSV in English snake_case, moments in UTC but for what people typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.local.sample import names
from lakehouse.local.sample.company import text
from lakehouse.local.sample.company.arrays import Ints
from lakehouse.local.sample.company.plants import CHANNELS, LOSS_REASONS
from lakehouse.local.sample.company.world.chunk import CHUNKS_A_TEAM
from lakehouse.local.sample.company.world.contacts import HOMOPHONE, MAIN, NONE, TITLE
from lakehouse.local.sample.company.world.places import CITIES
from lakehouse.local.sample.company.world.selling import KINDS, LOST, OPEN, OUTCOMES, STAGES
from lakehouse.local.sample.company.writers.export import GENERATED, Dirt, Export

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.local.sample.company.world.chunk import Chunk

_NAMES = [city.name for city in CITIES]
_PROVINCES = [city.province for city in CITIES]
_HOMOPHONES = dict(
    pair.split(":")
    for pair in names.words(
        "伟:炜 芳:方 娜:那 敏:闵 静:婧 丽:莉 强:墙 磊:垒 军:君 洋:阳 勇:永 艳:燕 杰:洁 娟:捐 涛:滔 明:铭 超:朝 秀:绣 "
        "霞:侠 平:萍 刚:钢 桂:贵 英:瑛 华:桦 玉:钰 梅:玫 建:健 国:帼 文:雯 辉:晖 红:虹 云:芸 飞:菲 鹏:朋 宇:羽 浩:昊 "
        "欣:新 怡:宜 佳:嘉 俊:骏 雪:鳕 琳:林 晨:辰 思:斯 志:智 海:嗨 春:椿 兰:岚 宁:柠 婷:亭 凯:楷 博:搏 晓:小 东:冬 "
        "燕:艳 莉:丽 峰:锋"
    )
)
_GIVEN = [given for given, _ in names.GIVEN_CHARACTERS]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what the CRM writes; its users and owners with the first chunk of their team."""
    if chunk.number % CHUNKS_A_TEAM == 0:
        yield _users(chunk)
        yield _owners(chunk)
    yield _contacts(chunk)
    yield _leads(chunk)
    yield _deals(chunk)
    yield _deal_stages(chunk)
    yield _activities(chunk)
    yield _tickets(chunk)


def _users(chunk: Chunk) -> Export:
    """Who logs in to the CRM."""
    columns = {name: chunk.texts("staff", name) for name in ("user_id", "name", "email", "role", "team")}
    active = text.pick(("no", "yes"), chunk.of("staff", "active").astype(np.int64))
    columns |= {"active": active, "source": pa.repeat(GENERATED, len(active))}
    return Export("crm/users", pa.table(columns))


def _owners(chunk: Chunk) -> Export:
    """Whom contacts, deals and activities belong to."""
    columns = {name: chunk.texts("staff", name) for name in ("owner_id", "user_id", "name", "team")}
    columns["city"] = text.pick(_NAMES, chunk.of("staff", "city"))
    return Export("crm/owners", pa.table(columns))


def _contacts(chunk: Chunk) -> Export:
    row, email, which = (
        chunk.of("contacts", "row"),
        chunk.of("contacts", "email"),
        chunk.of("contacts", "phone"),
    )
    city, child = chunk.of("persons", "city")[row], chunk.of("persons", "child_birth_year")[row]
    dirt = Dirt(chunk, "crm/contacts")
    second = chunk.texts("persons", "second_phone", row)
    phone = pc.if_else(pa.array(which == MAIN), chunk.texts("persons", "phone", row), second)
    updated, consent = chunk.of("contacts", "updated_at"), chunk.texts("contacts", "consent")
    columns = {
        "contact_id": chunk.texts("contacts", "contact_id"),
        "name": dirt.words("name", _names(chunk)),
        "mobile": dirt.phones("mobile", text.blank(phone, which == NONE)),
        "email": dirt.emails("email", text.blank(chunk.texts("persons", "email", row), ~email)),
        "birth_year": text.plain(chunk.of("persons", "birth_year")[row]),
        "child_birth_year": text.blank(text.plain(child), child == 0),
        "province": text.pick(_PROVINCES, city),
        "city": dirt.words("city", text.pick(_NAMES, city)),
        "address": chunk.texts("persons", "address", row),
        "owner_id": chunk.texts("staff", "owner_id", chunk.of("contacts", "owner")),
        "marketing_consent": consent,
        "marketing_consent_at": pc.if_else(pc.equal(consent, ""), None, text.universal(updated)),
        "created_at": dirt.local_moments("created_at", chunk.of("contacts", "created_at")),
        "updated_at": text.universal(updated),
        "remark": dirt.optional("remark", pa.nulls(len(row), pa.string())),
        "original_source": pa.repeat(GENERATED, len(row)),
    }
    return dirt.export(columns, chunk.of("contacts", "person"))


def _names(chunk: Chunk) -> pa.Array:
    """Return how each record spells its person's name: right, by ear, or the family name with a title."""
    row, spelling = chunk.of("contacts", "row"), chunk.of("contacts", "spelling")
    family, first, second = (
        chunk.texts("persons", part, row) for part in ("family", "given_first", "given_second")
    )
    by_ear = text.pick([_HOMOPHONES[given] for given in _GIVEN], pc.index_in(first, pa.array(_GIVEN)))
    title = text.pick(("女士", "先生"), chunk.of("persons", "male")[row].astype(np.int64))
    title = pc.if_else(pa.array(chunk.of("persons", "planted")[row] > 0), "先生", title)
    given = pc.if_else(pa.array(spelling == HOMOPHONE), by_ear, first)
    return pc.if_else(
        pa.array(spelling == TITLE), text.joined(family, title), text.joined(family, given, second)
    )


def _leads(chunk: Chunk) -> Export:
    row, status = chunk.of("leads", "row"), chunk.texts("leads", "status")
    dirt = Dirt(chunk, "crm/leads")
    family, first = (chunk.texts("persons", part, row) for part in ("family", "given_first"))
    columns = {
        "lead_id": chunk.texts("leads", "lead_id"),
        "name": dirt.words("name", text.joined(family, first, chunk.texts("persons", "given_second", row))),
        "mobile": dirt.phones("mobile", chunk.texts("persons", "phone", row)),
        "city": text.pick(_NAMES, chunk.of("persons", "city")[row]),
        "channel": text.pick(CHANNELS, chunk.of("leads", "channel")),
        "status": status,
        "contact_id": pc.if_else(pc.equal(status, "converted"), _first_contact(chunk, row), None),
        "owner_id": chunk.texts("staff", "owner_id", chunk.of("leads", "owner")),
        "created_at": text.universal(chunk.of("leads", "created_at")),
        "source": pa.repeat(GENERATED, len(row)),
    }
    return dirt.export(columns, chunk.of("leads", "person"))


def _deals(chunk: Chunk) -> Export:
    contact, outcome = chunk.of("deals", "contact"), chunk.of("deals", "outcome")
    reason = np.maximum(chunk.of("deals", "reason"), 0)
    columns = {
        "deal_id": chunk.texts("deals", "deal_id"),
        "contact_id": chunk.texts("contacts", "contact_id", contact),
        "title": text.joined(chunk.texts("deals", "product"), " ", chunk.texts("deals", "deal_id")),
        "amount": text.money(chunk.of("deals", "amount")),
        "currency": pa.repeat("CNY", len(contact)),
        "channel": text.pick(CHANNELS, chunk.of("deals", "channel")),
        "status": text.pick(OUTCOMES, outcome),
        "loss_reason": text.blank(text.pick(LOSS_REASONS, reason), outcome != LOST),
        "owner_id": chunk.texts("staff", "owner_id", chunk.of("deals", "owner")),
        "created_at": text.universal(chunk.of("deals", "created_at")),
        "closed_at": text.blank(text.universal(chunk.of("deals", "closed_at")), outcome == OPEN),
        "source": pa.repeat(GENERATED, len(contact)),
    }
    return Export("crm/deals", pa.table(columns), chunk.of("deals", "person"))


def _deal_stages(chunk: Chunk) -> Export:
    """Return the history of stages: a row for each that a deal entered."""
    columns = {
        "deal_id": chunk.texts("deals", "deal_id", chunk.of("stages", "deal")),
        "step": text.plain(chunk.of("stages", "step")),
        "stage": text.pick((*STAGES, *OUTCOMES[1:]), chunk.of("stages", "stage")),
        "entered_at": text.universal(chunk.of("stages", "entered_at")),
    }
    return Export("crm/deal_stages", pa.table(columns), chunk.of("stages", "person"))


def _activities(chunk: Chunk) -> Export:
    """Return calls, e-mails, meetings and notes; an empty note is an empty field."""
    kind, deal = chunk.of("activities", "kind"), chunk.of("activities", "deal")
    ids = pa.concat_arrays([chunk.texts("deals", "deal_id"), pa.nulls(1, pa.string())])
    spoken = np.isin(kind, (KINDS.index("call"), KINDS.index("meeting")))
    columns = {
        "activity_id": chunk.texts("activities", "activity_id"),
        "kind": text.pick(KINDS, kind),
        "contact_id": chunk.texts("contacts", "contact_id", chunk.of("activities", "contact")),
        "deal_id": text.pick(ids, np.where(deal < 0, len(ids) - 1, deal)),
        "owner_id": chunk.texts("staff", "owner_id", chunk.of("activities", "owner")),
        "minutes": text.blank(text.plain(chunk.of("activities", "minutes")), ~spoken),
        "note": chunk.texts("activities", "note"),
        "occurred_at": text.universal(chunk.of("activities", "at")),
    }
    return Export("crm/activities", pa.table(columns), chunk.of("activities", "person"))


def _tickets(chunk: Chunk) -> Export:
    """Tickets; they name the shop's customer and order, and the person's first contact where there is one."""
    order, complaint = chunk.of("tickets", "order"), chunk.of("tickets", "complaint").astype(np.int64)
    satisfaction = chunk.of("tickets", "satisfaction")
    dirt = Dirt(chunk, "crm/tickets")
    columns = {
        "ticket_id": chunk.texts("tickets", "ticket_id"),
        "contact_id": _first_contact(chunk, chunk.of("tickets", "row")),
        "customer_id": chunk.texts("accounts", "customer_id", chunk.of("orders", "account")[order]),
        "order_id": chunk.texts("orders", "order_id", order),
        "category": text.pick(("question", "complaint"), complaint),
        "priority": text.pick(("normal", "high"), complaint),
        "subject": chunk.texts("tickets", "subject"),
        "status": text.pick(("closed", "open"), chunk.of("tickets", "open").astype(np.int64)),
        "satisfaction": text.blank(text.plain(satisfaction), satisfaction == 0),
        "agent_id": chunk.texts("staff", "owner_id", chunk.of("tickets", "agent")),
        "created_at": text.universal(chunk.of("tickets", "created_at")),
        "resolved_at": text.blank(
            text.universal(chunk.of("tickets", "resolved_at")), chunk.of("tickets", "open")
        ),
        "source": pa.repeat(GENERATED, len(order)),
    }
    return dirt.export(columns, chunk.of("tickets", "person"))


def _first_contact(chunk: Chunk, row: Ints) -> pa.Array:
    """Return the id of the first contact of each person, null where the CRM has none."""
    known = chunk.of("contacts", "row")
    ids = pa.concat_arrays([chunk.texts("contacts", "contact_id"), pa.nulls(1, pa.string())])
    first = np.full(len(chunk.tables["persons"]), len(known), np.int64)
    first[known[::-1]] = np.arange(len(known))[::-1]
    return text.pick(ids, first[row])
