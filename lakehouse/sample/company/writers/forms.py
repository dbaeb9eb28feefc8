"""Tables that companies build themselves: leads in a form of 简道云, customers of some offices in 伙伴云.

Both export workbooks with Chinese headers, an id a row, and times in China's zone as somebody typed them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.plants import CHANNELS
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, WORKBOOK, Dirt, Export
from lakehouse.sample.company.writers.part import (
    LEADS,
    Part,
    emails,
    family_names,
    full_names,
    given_names,
    held_by,
    phones,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk

_CITIES = [city.name for city in CITIES]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the customers of offices that work with 伙伴云, and the leads of all whose CRM keeps none."""
    customers, leads = held_by(chunk, "huoban"), held_by(chunk, *LEADS["jiandaoyun"])
    if not customers.none:
        yield _customers(customers)
    if not leads.none:
        yield _leads(leads)


def _customers(part: Part) -> Export:
    city = part.chunk.of("persons", "city")[part.of("contacts", "row")]
    owner, dirt = part.user("contacts", "name"), Dirt(part.chunk, "huoban/customers")
    columns = {
        "数据ID": ids.huoban("contacts", part.texts("contacts", "contact_id")),
        "客户姓名": dirt.words("客户姓名", text_columns.joined(family_names(part), given_names(part))),
        "手机": dirt.phones("手机", phones(part)),
        "邮箱": dirt.emails("邮箱", emails(part)),
        "城市": text_columns.pick(_CITIES, city),
        "来源": pa.repeat(GENERATED, len(city)),
        "客户状态": pa.repeat("已成交", len(city)),
        "负责人": owner,
        "创建人": owner,
        "创建时间": dirt.local_moments("创建时间", part.of("contacts", "created_at")),
        "修改时间": text_columns.local(part.of("contacts", "updated_at")),
    }
    return dirt.export(columns, part.of("contacts", "person"), WORKBOOK)


def _leads(part: Part) -> Export:
    row, created = part.of("leads", "row"), part.of("leads", "created_at")
    dirt = Dirt(part.chunk, "jiandaoyun/leads")
    columns = {
        "数据ID": ids.jiandaoyun("leads", part.texts("leads", "lead_id")),
        "姓名": full_names(part, "leads"),
        "手机": dirt.phones("手机", part.persons("leads", "phone")),
        "城市": text_columns.pick(_CITIES, part.chunk.of("persons", "city")[row]),
        "来源": text_columns.pick(CHANNELS, part.of("leads", "channel")),
        "需求描述": pa.repeat(GENERATED, len(row)),
        "跟进状态": part.texts("leads", "status"),
        "负责人": part.user("leads", "name"),
        "提交人": pa.repeat("外部链接", len(row)),
        "提交时间": dirt.local_moments("提交时间", created),
        "更新时间": text_columns.local(created),
    }
    return dirt.export(columns, part.of("leads", "person"), WORKBOOK)
