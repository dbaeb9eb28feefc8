"""悟空CRM's workbooks: Chinese headers, no ids, times in China's zone as somebody typed them.

Every customer is a person here (客户类型 个人) and therefore their own contact. Leads and tickets are kept elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.plants import LOSS_REASONS
from lakehouse.sample.company.random_arrays import Ints
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.selling import LOST, OPEN, WON
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, WORKBOOK, Dirt, Export
from lakehouse.sample.company.writers.part import (
    Part,
    emails,
    family_names,
    given_names,
    held_by,
    last_stages,
    or_null,
    phones,
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
    part = held_by(chunk, "wukong")
    if part.none:
        return
    names = customer_names(part)
    yield _customers(part, names)
    yield _deals(part, names)
    yield _activities(part, names)
    won = part.only("deals", part.of("deals", "outcome") == WON)
    yield _contracts(won, names)
    yield _payments(won, names)


def customer_names(part: Part) -> pa.Array:
    """Return the name of each customer: `（number）` stands behind, for 悟空 allows a name once."""
    spelled = text_columns.joined(family_names(part), given_names(part))
    return ids.wukong(spelled, part.texts("contacts", "contact_id"))


def _of(part: Part, names: pa.Array, contact: Ints) -> pa.Array:
    """Return the customers' names of records that name a row of `contacts`."""
    place = np.full(len(part.chunk.tables["contacts"]), -1, np.int64)
    place[part.rows("contacts")] = np.arange(len(names))
    return or_null(names, place[contact])


def _customers(part: Part, names: pa.Array) -> Export:
    city = part.chunk.of("persons", "city")[part.of("contacts", "row")]
    dirt = Dirt(part.chunk, "wukong/customers")
    owner = part.user("contacts", "name")
    columns = {
        "客户名称": names,
        "客户类型": pa.repeat("个人", len(city)),
        "客户来源": pa.repeat(GENERATED, len(city)),
        "手机": dirt.phones("手机", phones(part)),
        "邮箱": dirt.emails("邮箱", emails(part)),
        "省市区": text_columns.joined(
            text_columns.pick([place.province for place in CITIES], city),
            ",",
            text_columns.pick([place.name for place in CITIES], city),
        ),
        "详细地址": part.persons("contacts", "address"),
        "备注": dirt.optional("备注", pa.nulls(len(city), pa.string())),
        "负责人": owner,
        "创建人": owner,
        "创建时间": dirt.local_moments("创建时间", part.of("contacts", "created_at")),
        "更新时间": text_columns.local(part.of("contacts", "updated_at")),
    }
    return dirt.export(columns, part.of("contacts", "person"), WORKBOOK)


def _deals(part: Part, names: pa.Array) -> Export:
    outcome, closed = part.of("deals", "outcome"), part.of("deals", "closed_at")
    owner, reason = part.user("deals", "name"), np.maximum(part.of("deals", "reason"), 0)
    created = part.of("deals", "created_at")
    columns = {
        "商机名称": _titles(part),
        "客户名称": _of(part, names, part.of("deals", "contact")),
        "商机金额（元）": text_columns.money(part.of("deals", "amount")),
        "预计成交日期": text_columns.days(closed),
        "商机状态组": pa.repeat("销售流程", len(outcome)),
        "商机阶段": text_columns.pick(_STAGES, last_stages(part.chunk)[part.rows("deals")]),
        "输单原因": text_columns.blank(text_columns.pick(list(_REASONS.values()), reason), outcome != LOST),
        "负责人": owner,
        "创建人": owner,
        "创建时间": text_columns.local(created),
        "更新时间": text_columns.local(np.where(outcome == OPEN, created, closed)),
    }
    return Export("wukong/deals", pa.table(columns), part.of("deals", "person"), form=WORKBOOK)


def _titles(part: Part) -> pa.Array:
    return text_columns.joined(part.texts("deals", "product"), " ", part.texts("deals", "deal_id"))


def _activities(part: Part, names: pa.Array) -> Export:
    chunk, deal = part.chunk, part.of("activities", "deal")
    titles = text_columns.joined(chunk.texts("deals", "product"), " ", chunk.texts("deals", "deal_id"))
    columns = {
        "跟进内容": pc.fill_null(part.texts("activities", "note"), _NOTHING),
        "创建人": part.user("activities", "name"),
        "所属客户": _of(part, names, part.of("activities", "contact")),
        "跟进时间": text_columns.local(part.of("activities", "at")),
        "跟进方式": text_columns.pick(_METHODS, part.of("activities", "kind")),
        "相关商机": or_null(titles, deal),
    }
    return Export("wukong/activities", pa.table(columns), part.of("activities", "person"), form=WORKBOOK)


def _contracts(part: Part, names: pa.Array) -> Export:
    """Return contracts (合同): what was won is signed on the day."""
    closed, owner = part.of("deals", "closed_at"), part.user("deals", "name")
    columns = {
        "合同编号": _numbers(part, "HT"),
        "合同名称": part.texts("deals", "product"),
        "客户名称": _of(part, names, part.of("deals", "contact")),
        "商机名称": _titles(part),
        "合同金额（元）": text_columns.money(part.of("deals", "amount")),
        "下单时间": text_columns.days(closed),
        "审核状态": pa.repeat("通过", len(closed)),
        "负责人": owner,
        "创建人": owner,
        "创建时间": text_columns.local(closed),
        "更新时间": text_columns.local(closed),
    }
    return Export("wukong/contracts", pa.table(columns), part.of("deals", "person"), form=WORKBOOK)


def _payments(part: Part, names: pa.Array) -> Export:
    """Return payments (回款): every contract is paid at once."""
    closed, owner = part.of("deals", "closed_at"), part.user("deals", "name")
    columns = {
        "回款编号": _numbers(part, "HK"),
        "客户名称": _of(part, names, part.of("deals", "contact")),
        "合同编号": _numbers(part, "HT"),
        "回款日期": text_columns.days(closed),
        "回款金额（元）": text_columns.money(part.of("deals", "amount")),
        "回款方式": pa.repeat("微信支付", len(closed)),
        "审核状态": pa.repeat("通过", len(closed)),
        "负责人": owner,
        "创建人": owner,
        "创建时间": text_columns.local(closed),
        "更新时间": text_columns.local(closed),
    }
    return Export("wukong/payments", pa.table(columns), part.of("deals", "person"), form=WORKBOOK)


def _numbers(part: Part, letters: str) -> pa.Array:
    return text_columns.joined(letters, pc.utf8_slice_codeunits(part.texts("deals", "deal_id"), 1))
