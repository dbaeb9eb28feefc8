"""悟空CRM's workbooks: Chinese headers, no ids, times in China's zone as somebody typed them.

Every customer is a person here (客户类型 个人) and therefore their own contact. Leads and tickets are kept elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import LOSS_REASONS
from lakehouse.sample.company.world.selling import WON
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers import shared_columns as shared
from lakehouse.sample.company.writers.export import GENERATED, WORKBOOK, DirtyExport, Export
from lakehouse.sample.company.writers.system_records import records_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.random_arrays import Ints
    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.writers.system_records import SystemRecords

_STAGES = ("验证客户", "需求分析", "方案/报价", "谈判审核", "赢单", "输单")
_METHODS = ("打电话", "发邮件", "见面拜访", "其他")
_REASONS = dict(zip(LOSS_REASONS, ("价格太高", "选择竞品", "没有需求", "联系不上", "交期太长"), strict=True))
_EMPTY_NOTE = "无"  # 悟空 takes no empty note


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield what 悟空 writes of the customers whose office works with it."""
    records = records_of(chunk, "wukong")
    if records.is_empty:
        return
    names = customer_names(records)
    yield _customers(records, names)
    yield _deals(records, names)
    yield _activities(records, names)
    won = records.filtered("deals", records.array("deals", "outcome") == WON)
    yield _contracts(won, names)
    yield _payments(won, names)


def customer_names(records: SystemRecords) -> pa.Array:
    """Return the name of each customer: `（number）` stands behind, for 悟空 allows a name once."""
    return ids.wukong(shared.spelt_names(records), records.column("contacts", "contact_id"))


def _names_of_contacts(records: SystemRecords, names: pa.Array, contact: Ints) -> pa.Array:
    """Return the customers' names of records that name a row of `contacts`."""
    name_index = np.full(len(records.chunk.tables["contacts"]), -1, np.int64)
    name_index[records.row_numbers("contacts")] = np.arange(len(names))
    return text.at_or_null(names, name_index[contact])


def _made_by(owner: pa.Array, created: pa.Array, updated: pa.Array) -> dict[str, pa.Array]:
    """Return the last columns of most workbooks; who looks after a record has made it."""
    return {"负责人": owner, "创建人": owner, "创建时间": created, "更新时间": updated}


def _customers(records: SystemRecords, names: pa.Array) -> Export:
    dirty = DirtyExport(records.chunk, "wukong/customers")
    cities, provinces = shared.city_names(records, "contacts"), shared.province_names(records, "contacts")
    columns = {
        "客户名称": names,
        "客户类型": pa.repeat("个人", len(names)),
        "客户来源": pa.repeat(GENERATED, len(names)),
        "手机": dirty.phones("手机", shared.phones(records)),
        "邮箱": dirty.emails("邮箱", shared.emails(records)),
        "省市区": text.joined(provinces, ",", cities),
        "详细地址": records.person_column("contacts", "address"),
        "备注": dirty.empty_remarks("备注", len(names)),
        **_made_by(
            records.user_column("contacts", "name"),
            dirty.local_moments("创建时间", records.array("contacts", "created_at")),
            text.local(records.array("contacts", "updated_at")),
        ),
    }
    return dirty.build(columns, records.array("contacts", "person"), WORKBOOK)


def _deals(records: SystemRecords, names: pa.Array) -> Export:
    rows = records.row_numbers("deals")
    columns = {
        "商机名称": shared.deal_titles(records.chunk, rows),
        "客户名称": _names_of_contacts(records, names, records.array("deals", "contact")),
        "商机金额（元）": text.money(records.array("deals", "amount")),
        "预计成交日期": text.days(records.array("deals", "closed_at")),
        "商机状态组": pa.repeat("销售流程", len(rows)),
        "商机阶段": text.pick(_STAGES, shared.last_stages(records)),
        "输单原因": shared.loss_reasons(records, list(_REASONS.values())),
        **_made_by(
            records.user_column("deals", "name"),
            text.local(records.array("deals", "created_at")),
            text.local(shared.deals_updated(records)),
        ),
    }
    return Export("wukong/deals", pa.table(columns), records.array("deals", "person"), form=WORKBOOK)


def _activities(records: SystemRecords, names: pa.Array) -> Export:
    titles = shared.deal_titles(records.chunk)
    columns = {
        "跟进内容": pc.fill_null(records.column("activities", "note"), _EMPTY_NOTE),
        "创建人": records.user_column("activities", "name"),
        "所属客户": _names_of_contacts(records, names, records.array("activities", "contact")),
        "跟进时间": text.local(records.array("activities", "at")),
        "跟进方式": text.pick(_METHODS, records.array("activities", "kind")),
        "相关商机": text.at_or_null(titles, records.array("activities", "deal")),
    }
    person = records.array("activities", "person")
    return Export("wukong/activities", pa.table(columns), person, form=WORKBOOK)


def _contracts(won: SystemRecords, names: pa.Array) -> Export:
    """Return contracts (合同): what was won is signed on the day."""
    closed = won.array("deals", "closed_at")
    columns = {
        "合同编号": _document_ids(won, "HT"),
        "合同名称": won.column("deals", "product"),
        "客户名称": _names_of_contacts(won, names, won.array("deals", "contact")),
        "商机名称": shared.deal_titles(won.chunk, won.row_numbers("deals")),
        "合同金额（元）": text.money(won.array("deals", "amount")),
        "下单时间": text.days(closed),
        "审核状态": pa.repeat("通过", len(closed)),
        **_made_by(won.user_column("deals", "name"), text.local(closed), text.local(closed)),
    }
    return Export("wukong/contracts", pa.table(columns), won.array("deals", "person"), form=WORKBOOK)


def _payments(won: SystemRecords, names: pa.Array) -> Export:
    """Return payments (回款): every contract is paid at once."""
    closed = won.array("deals", "closed_at")
    columns = {
        "回款编号": _document_ids(won, "HK"),
        "客户名称": _names_of_contacts(won, names, won.array("deals", "contact")),
        "合同编号": _document_ids(won, "HT"),
        "回款日期": text.days(closed),
        "回款金额（元）": text.money(won.array("deals", "amount")),
        "回款方式": pa.repeat("微信支付", len(closed)),
        "审核状态": pa.repeat("通过", len(closed)),
        **_made_by(won.user_column("deals", "name"), text.local(closed), text.local(closed)),
    }
    return Export("wukong/payments", pa.table(columns), won.array("deals", "person"), form=WORKBOOK)


def _document_ids(won: SystemRecords, letters: str) -> pa.Array:
    """Return the ids of what belongs to each deal: its number behind other letters."""
    return text.joined(letters, pc.utf8_slice_codeunits(won.column("deals", "deal_id"), 1))
