"""Tables that companies build themselves: leads in a form of 简道云, customers of some offices in 伙伴云.

Both export workbooks with Chinese headers, an id a row, and times in China's zone as somebody typed them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, WORKBOOK, Dirt, Export
from lakehouse.sample.company.writers.system_records import (
    LEADS,
    SystemRecords,
    emails,
    family_names,
    full_names,
    given_names,
    phones,
    records_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk

_CITIES = [city.name for city in CITIES]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the customers of offices that work with 伙伴云, and the leads of all whose CRM keeps none."""
    customers, leads = records_of(chunk, "huoban"), records_of(chunk, *LEADS["jiandaoyun"])
    if not customers.is_empty:
        yield _customers(customers)
    if not leads.is_empty:
        yield _leads(leads)


def _customers(records: SystemRecords) -> Export:
    city = records.chunk.array("persons", "city")[records.array("contacts", "row")]
    owner, dirt = records.user_column("contacts", "name"), Dirt(records.chunk, "huoban/customers")
    columns = {
        "数据ID": ids.huoban("contacts", records.column("contacts", "contact_id")),
        "客户姓名": dirt.words("客户姓名", text.joined(family_names(records), given_names(records))),
        "手机": dirt.phones("手机", phones(records)),
        "邮箱": dirt.emails("邮箱", emails(records)),
        "城市": text.pick(_CITIES, city),
        "来源": pa.repeat(GENERATED, len(city)),
        "客户状态": pa.repeat("已成交", len(city)),
        "负责人": owner,
        "创建人": owner,
        "创建时间": dirt.local_moments("创建时间", records.array("contacts", "created_at")),
        "修改时间": text.local(records.array("contacts", "updated_at")),
    }
    return dirt.export(columns, records.array("contacts", "person"), WORKBOOK)


def _leads(records: SystemRecords) -> Export:
    row, created = records.array("leads", "row"), records.array("leads", "created_at")
    dirt = Dirt(records.chunk, "jiandaoyun/leads")
    columns = {
        "数据ID": ids.jiandaoyun("leads", records.column("leads", "lead_id")),
        "姓名": full_names(records, "leads"),
        "手机": dirt.phones("手机", records.person_column("leads", "phone")),
        "城市": text.pick(_CITIES, records.chunk.array("persons", "city")[row]),
        "来源": text.pick(CHANNELS, records.array("leads", "channel")),
        "需求描述": pa.repeat(GENERATED, len(row)),
        "跟进状态": records.column("leads", "status"),
        "负责人": records.user_column("leads", "name"),
        "提交人": pa.repeat("外部链接", len(row)),
        "提交时间": dirt.local_moments("提交时间", created),
        "更新时间": text.local(created),
    }
    return dirt.export(columns, records.array("leads", "person"), WORKBOOK)
