"""Tables that companies build themselves: leads in a form of 简道云, customers of some offices in 伙伴云.

Both export workbooks with Chinese headers, an id a row, and times in China's zone as somebody typed them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CHANNELS
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers import shared_columns as shared
from lakehouse.sample.company.writers.export import GENERATED, WORKBOOK, DirtyExport, Export
from lakehouse.sample.company.writers.system_records import LEADS, records_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.writers.system_records import SystemRecords


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the customers of offices that work with 伙伴云, and the leads of all whose CRM cannot hold any."""
    customers = records_of(chunk, "huoban")
    if not customers.is_empty:
        yield _customers(customers)
    leads = records_of(chunk, *LEADS["jiandaoyun"])
    if not leads.is_empty:
        yield _leads(leads)


def _customers(records: SystemRecords) -> Export:
    dirty = DirtyExport(records.chunk, "huoban/customers")
    rows, owner = len(records.row_numbers("contacts")), records.user_column("contacts", "name")
    columns = {
        "数据ID": ids.huoban("contacts", records.column("contacts", "contact_id")),
        "客户姓名": dirty.texts("客户姓名", shared.spelt_names(records)),
        "手机": dirty.phones("手机", shared.phones(records)),
        "邮箱": dirty.emails("邮箱", shared.emails(records)),
        "城市": shared.city_names(records, "contacts"),
        "来源": pa.repeat(GENERATED, rows),
        "客户状态": pa.repeat("已成交", rows),
        "负责人": owner,
        "创建人": owner,
        "创建时间": dirty.local_moments("创建时间", records.array("contacts", "created_at")),
        "修改时间": text.local(records.array("contacts", "updated_at")),
    }
    return dirty.build(columns, records.array("contacts", "person"), WORKBOOK)


def _leads(records: SystemRecords) -> Export:
    dirty = DirtyExport(records.chunk, "jiandaoyun/leads")
    created = records.array("leads", "created_at")
    columns = {
        "数据ID": ids.jiandaoyun("leads", records.column("leads", "lead_id")),
        "姓名": shared.full_names(records, "leads"),
        "手机": dirty.phones("手机", records.person_column("leads", "phone")),
        "城市": shared.city_names(records, "leads"),
        "来源": text.pick(CHANNELS, records.array("leads", "channel")),
        "需求描述": pa.repeat(GENERATED, len(created)),
        "跟进状态": records.column("leads", "status"),
        "负责人": records.user_column("leads", "name"),
        "提交人": pa.repeat("外部链接", len(created)),
        "提交时间": dirty.local_moments("提交时间", created),
        "更新时间": text.local(created),
    }
    return dirty.build(columns, records.array("leads", "person"), WORKBOOK)
