"""Deals with the history of their stages, and what salespeople note while they work on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.policy import CHANNELS
from lakehouse.sample.company.random_arrays import (
    Floats,
    Ints,
    choose,
    column_array,
    integers_below,
    position_in_group,
    scramble,
)
from lakehouse.sample.company.world.staff import EMPTY, PASTING

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

ACTIVITIES_A_PERSON = 256  # more than anybody has
STAGES = ("new", "qualified", "proposal", "negotiation")
OPEN, WON, LOST = range(3)
OUTCOMES = ("open", "won", "lost")
KINDS = ("call", "email", "meeting", "note")
_DEALS = 0.50  # of contacts, with their first record
_LOST = 0.60  # of the deals that are closed
_ACTIVITIES, _FOLLOW_UPS = 5.0, 0.8  # mean of a deal, of a contact
_DAY, _HOUR = 86_400, 3600
_PRODUCTS = ("婴儿房套装", "企业礼品", "全屋收纳", "会员年卡", "团购订单", "开学礼包")
_OPENINGS = ("电话联系客户", "微信沟通", "客户到店", "回访客户", "邮件跟进", "约见客户")
_TOPICS = ("咨询价格", "询问库存", "对比了其他品牌", "关心送货时间", "想看样品", "要求开发票", "讨论付款方式")
_NEXT = ("下周再联系", "等家人商量", "已发报价", "约好再到店", "已转主管", "需要补充资料", "本月内决定")


class Selling(NamedTuple):
    """Deals, a row for each stage a deal was in, and activities."""

    deals: pa.Table
    stages: pa.Table
    activities: pa.Table


def selling(
    scenario: Scenario, contacts: pa.Table, leads: pa.Table, staff: pa.Table, rng: np.random.Generator
) -> Selling:
    """Return what a team sold to a chunk's people; `contact` is a row of `contacts`, `deal` one of `deals`."""
    deals = _deals(scenario, contacts, leads, rng)
    stages = _stages(scenario, deals, rng)
    return Selling(deals, stages, _activities(scenario, contacts, deals, staff, rng))


def _deals(scenario: Scenario, contacts: pa.Table, leads: pa.Table, rng: np.random.Generator) -> pa.Table:
    person = column_array(contacts, "person")
    created = (
        column_array(contacts, "created_at")
        - scenario.history.zero
        + integers_below(rng.random(len(person)), 200 * _DAY)
    )
    chosen = rng.random(len(person)) < _DEALS
    contact = np.flatnonzero(
        chosen & (position_in_group(person) == 0) & (created >= 0) & (created < scenario.history.end)
    )
    created = created[contact]
    closes = created + 3 * _DAY + (rng.gamma(2.0, 12.0, len(contact)) * _DAY).astype(np.int64)
    lost = rng.random(len(contact)) < _LOST
    outcome = np.where(closes >= scenario.history.end, OPEN, np.where(lost, LOST, WON))
    channel = _channels(person[contact], leads, rng)
    return pa.table(
        {
            "contact": contact,
            "row": column_array(contacts, "row")[contact],
            "person": person[contact],
            "deal_id": text_columns.joined(
                "D", text_columns.digits(scramble(person[contact], 67_867_979, 10**9), 9)
            ),
            "product": text_columns.pick(_PRODUCTS, integers_below(rng.random(len(contact)), len(_PRODUCTS))),
            "amount": np.rint(rng.lognormal(7.3, 0.7, len(contact))).astype(np.int64) * 100,
            "channel": channel,
            "outcome": outcome,
            "reason": np.where(outcome == LOST, _reasons(scenario, channel, rng.random(len(contact))), -1),
            "owner": column_array(contacts, "owner")[contact],
            "created_at": text_columns.timestamps(scenario.history.zero + created),
            "closed_at": text_columns.timestamps(
                scenario.history.zero + np.minimum(closes, scenario.history.end)
            ),
        }
    )


def _channels(person: Ints, leads: pa.Table, rng: np.random.Generator) -> Ints:
    """Return the channel a deal came by: its person's lead's, else any."""
    drawn = integers_below(rng.random(len(person)), len(CHANNELS))
    known = column_array(leads, "person")
    at = np.minimum(np.searchsorted(known, person), len(known) - 1)
    return np.where(known[at] == person, column_array(leads, "channel")[at], drawn)


def _reasons(scenario: Scenario, channel: Ints, draws: Floats) -> Ints:
    """Return why each deal would be lost: the planted distribution of its channel."""
    reasons = np.zeros(len(channel), np.int64)
    for number, shares in enumerate(scenario.plants.loss_reasons):
        of = channel == number
        reasons[of] = choose(draws[of], shares)
    return reasons


def _stages(scenario: Scenario, deals: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the stages of every deal in order: one to four, then won or lost; open deals stay in the last.

    `stage` is a place in STAGES, or after them WON or LOST.
    """
    outcome = column_array(deals, "outcome")
    reached = np.where(outcome == WON, len(STAGES), 1 + integers_below(rng.random(len(outcome)), len(STAGES)))
    steps = reached + (outcome != OPEN)
    deal = np.repeat(np.arange(len(outcome)), steps)
    step = position_in_group(deal)
    closing = step == reached[deal]
    start = column_array(deals, "created_at")[deal]
    span = (
        np.minimum(column_array(deals, "closed_at")[deal], scenario.history.zero + scenario.history.end - 1)
        - start
    )
    share = np.where(closing, 1.0, step / (steps[deal] + 0.5))
    return pa.table(
        {
            "deal": deal,
            "person": column_array(deals, "person")[deal],
            "step": step + 1,
            "stage": np.where(closing, len(STAGES) - 1 + outcome[deal], step),
            "entered_at": text_columns.timestamps(start + (span * share).astype(np.int64)),
        }
    )


def _activities(
    scenario: Scenario, contacts: pa.Table, deals: pa.Table, staff: pa.Table, rng: np.random.Generator
) -> pa.Table:
    """Return what salespeople did, at their working hours; `deal` is -1 where it was about no deal."""
    of_deal = np.repeat(np.arange(len(deals)), rng.poisson(_ACTIVITIES, len(deals)))
    follow = np.repeat(np.arange(len(contacts)), rng.poisson(_FOLLOW_UPS, len(contacts)))
    contact = np.r_[column_array(deals, "contact")[of_deal], follow]
    start = np.r_[column_array(deals, "created_at")[of_deal], column_array(contacts, "created_at")[follow]]
    until = np.r_[
        column_array(deals, "closed_at")[of_deal], column_array(contacts, "created_at")[follow] + 365 * _DAY
    ]
    at = start + (rng.random(len(contact)) * np.maximum(until - start, _DAY)).astype(np.int64)
    at = at // _DAY * _DAY + 9 * _HOUR + integers_below(rng.random(len(at)), 9 * _HOUR)
    deal = np.r_[of_deal, np.full(len(follow), -1, np.int64)]
    keep = np.flatnonzero((at >= scenario.history.zero) & (at < scenario.history.zero + scenario.history.end))
    keep = keep[np.argsort(contact[keep], kind="stable")]
    contact, at, deal = contact[keep], at[keep], deal[keep]
    person, owner = column_array(contacts, "person")[contact], column_array(contacts, "owner")[contact]
    key = person * ACTIVITIES_A_PERSON + position_in_group(person)
    return pa.table(
        {
            "contact": contact,
            "deal": deal,
            "person": person,
            "activity_id": text_columns.joined(
                "A", text_columns.digits(scramble(key, 49_979_687, 10**11), 11)
            ),
            "kind": choose(rng.random(len(at)), (0.4, 0.15, 0.15, 0.3)),
            "owner": owner,
            "minutes": 2 + integers_below(rng.random(len(at)) ** 2, 58),
            "note": _notes(scenario, staff, owner, at, rng),
            "at": text_columns.timestamps(at),
        }
    )


def _notes(scenario: Scenario, staff: pa.Table, owner: Ints, at: Ints, rng: np.random.Generator) -> pa.Array:
    """Return what was written down: something about the case, nothing, or always the same."""
    draws, habit = rng.random(len(owner)), column_array(staff, "habit")[owner]
    opening, topic, product, after = (
        text_columns.pick(words, integers_below(rng.random(len(owner)), len(words)))
        for words in (_OPENINGS, _TOPICS, _PRODUCTS, _NEXT)
    )
    pastes = (habit == PASTING) & (draws < scenario.plants.pasted_notes)
    pasted = text_columns.pick(staff["pasted"].combine_chunks(), owner)
    careful = text_columns.joined(
        text_columns.days(at), opening, "，", topic, "（", product, "），", after, "。"
    )
    notes = pc.if_else(pa.array(pastes), pasted, careful)
    return text_columns.null_where(notes, (habit == EMPTY) & (draws < scenario.plants.empty_notes))
