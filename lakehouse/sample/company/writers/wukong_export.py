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
from lakehouse.sample.company.random_arrays import Ints
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import LOST, OPEN, WON
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, WORKBOOK, Dirt, Export
from lakehouse.sample.company.writers.system_records import (
    SystemRecords,
    emails,
    family_names,
    given_names,
    last_stages,
    or_null,
    phones,
    records_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk

_STAGES = ("验证客户", "需求分析", "方案/报价", "谈判审核", "赢单", "输单")
_METHODS = ("打电话", "发邮件", "见面拜访", "其他")
_REASONS = dict(zip(LOSS_REASONS, ("价格太高", "选择竞品", "没有需求", "联系不上", "交期太长"), strict=True))
_NOTHING = "无"  # 悟空 takes no empty note


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
    spelled = text.joined(family_names(records), given_names(records))
    return ids.wukong(spelled, records.column("contacts", "contact_id"))


def _of(records: SystemRecords, names: pa.Array, contact: Ints) -> pa.Array:
    """Return the customers' names of records that name a row of `contacts`."""
    place = np.full(len(records.chunk.tables["contacts"]), -1, np.int64)
    place[records.row_numbers("contacts")] = np.arange(len(names))
    return or_null(names, place[contact])


def _customers(records: SystemRecords, names: pa.Array) -> Export:
    city = records.chunk.array("persons", "city")[records.array("contacts", "row")]
    dirt = Dirt(records.chunk, "wukong/customers")
    owner = records.user_column("contacts", "name")
    columns = {
        "客户名称": names,
        "客户类型": pa.repeat("个人", len(city)),
        "客户来源": pa.repeat(GENERATED, len(city)),
        "手机": dirt.phones("手机", phones(records)),
        "邮箱": dirt.emails("邮箱", emails(records)),
        "省市区": text.joined(
            text.pick([place.province for place in CITIES], city),
            ",",
            text.pick([place.name for place in CITIES], city),
        ),
        "详细地址": records.person_column("contacts", "address"),
        "备注": dirt.optional("备注", pa.nulls(len(city), pa.string())),
        "负责人": owner,
        "创建人": owner,
        "创建时间": dirt.local_moments("创建时间", records.array("contacts", "created_at")),
        "更新时间": text.local(records.array("contacts", "updated_at")),
    }
    return dirt.export(columns, records.array("contacts", "person"), WORKBOOK)


def _deals(records: SystemRecords, names: pa.Array) -> Export:
    outcome, closed = records.array("deals", "outcome"), records.array("deals", "closed_at")
    owner, reason = records.user_column("deals", "name"), np.maximum(records.array("deals", "reason"), 0)
    created = records.array("deals", "created_at")
    columns = {
        "商机名称": _titles(records),
        "客户名称": _of(records, names, records.array("deals", "contact")),
        "商机金额（元）": text.money(records.array("deals", "amount")),
        "预计成交日期": text.days(closed),
        "商机状态组": pa.repeat("销售流程", len(outcome)),
        "商机阶段": text.pick(_STAGES, last_stages(records.chunk)[records.row_numbers("deals")]),
        "输单原因": text.null_where(text.pick(list(_REASONS.values()), reason), outcome != LOST),
        "负责人": owner,
        "创建人": owner,
        "创建时间": text.local(created),
        "更新时间": text.local(np.where(outcome == OPEN, created, closed)),
    }
    return Export("wukong/deals", pa.table(columns), records.array("deals", "person"), form=WORKBOOK)


def _titles(records: SystemRecords) -> pa.Array:
    return text.joined(records.column("deals", "product"), " ", records.column("deals", "deal_id"))


def _activities(records: SystemRecords, names: pa.Array) -> Export:
    chunk, deal = records.chunk, records.array("activities", "deal")
    titles = text.joined(chunk.column("deals", "product"), " ", chunk.column("deals", "deal_id"))
    columns = {
        "跟进内容": pc.fill_null(records.column("activities", "note"), _NOTHING),
        "创建人": records.user_column("activities", "name"),
        "所属客户": _of(records, names, records.array("activities", "contact")),
        "跟进时间": text.local(records.array("activities", "at")),
        "跟进方式": text.pick(_METHODS, records.array("activities", "kind")),
        "相关商机": or_null(titles, deal),
    }
    return Export(
        "wukong/activities", pa.table(columns), records.array("activities", "person"), form=WORKBOOK
    )


def _contracts(records: SystemRecords, names: pa.Array) -> Export:
    """Return contracts (合同): what was won is signed on the day."""
    closed, owner = records.array("deals", "closed_at"), records.user_column("deals", "name")
    columns = {
        "合同编号": _numbers(records, "HT"),
        "合同名称": records.column("deals", "product"),
        "客户名称": _of(records, names, records.array("deals", "contact")),
        "商机名称": _titles(records),
        "合同金额（元）": text.money(records.array("deals", "amount")),
        "下单时间": text.days(closed),
        "审核状态": pa.repeat("通过", len(closed)),
        "负责人": owner,
        "创建人": owner,
        "创建时间": text.local(closed),
        "更新时间": text.local(closed),
    }
    return Export("wukong/contracts", pa.table(columns), records.array("deals", "person"), form=WORKBOOK)


def _payments(records: SystemRecords, names: pa.Array) -> Export:
    """Return payments (回款): every contract is paid at once."""
    closed, owner = records.array("deals", "closed_at"), records.user_column("deals", "name")
    columns = {
        "回款编号": _numbers(records, "HK"),
        "客户名称": _of(records, names, records.array("deals", "contact")),
        "合同编号": _numbers(records, "HT"),
        "回款日期": text.days(closed),
        "回款金额（元）": text.money(records.array("deals", "amount")),
        "回款方式": pa.repeat("微信支付", len(closed)),
        "审核状态": pa.repeat("通过", len(closed)),
        "负责人": owner,
        "创建人": owner,
        "创建时间": text.local(closed),
        "更新时间": text.local(closed),
    }
    return Export("wukong/payments", pa.table(columns), records.array("deals", "person"), form=WORKBOOK)


def _numbers(records: SystemRecords, letters: str) -> pa.Array:
    return text.joined(letters, pc.utf8_slice_codeunits(records.column("deals", "deal_id"), 1))
