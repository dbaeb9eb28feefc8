"""Deals with the history of their stages, and what salespeople note while they work on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.plants import CHANNELS
from lakehouse.sample.company.random_arrays import (
    Floats,
    Ints,
    below,
    choose,
    count_within,
    numbers,
    scramble,
)
from lakehouse.sample.company.world.staff import EMPTY, PASTING

if TYPE_CHECKING:
    from lakehouse.sample.company.world.frame import Frame

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
    frame: Frame, contacts: pa.Table, leads: pa.Table, staff: pa.Table, rng: np.random.Generator
) -> Selling:
    """Return what a team sold to a chunk's people; `contact` is a row of `contacts`, `deal` one of `deals`."""
    deals = _deals(frame, contacts, leads, rng)
    stages = _stages(frame, deals, rng)
    return Selling(deals, stages, _activities(frame, contacts, deals, staff, rng))


def _deals(frame: Frame, contacts: pa.Table, leads: pa.Table, rng: np.random.Generator) -> pa.Table:
    person = numbers(contacts, "person")
    created = (
        numbers(contacts, "created_at") - frame.history.zero + below(rng.random(len(person)), 200 * _DAY)
    )
    chosen = rng.random(len(person)) < _DEALS
    contact = np.flatnonzero(
        chosen & (count_within(person) == 0) & (created >= 0) & (created < frame.history.end)
    )
    created = created[contact]
    closes = created + 3 * _DAY + (rng.gamma(2.0, 12.0, len(contact)) * _DAY).astype(np.int64)
    lost = rng.random(len(contact)) < _LOST
    outcome = np.where(closes >= frame.history.end, OPEN, np.where(lost, LOST, WON))
    channel = _channels(person[contact], leads, rng)
    return pa.table(
        {
            "contact": contact,
            "row": numbers(contacts, "row")[contact],
            "person": person[contact],
            "deal_id": text_columns.joined(
                "D", text_columns.digits(scramble(person[contact], 67_867_979, 10**9), 9)
            ),
            "product": text_columns.pick(_PRODUCTS, below(rng.random(len(contact)), len(_PRODUCTS))),
            "amount": np.rint(rng.lognormal(7.3, 0.7, len(contact))).astype(np.int64) * 100,
            "channel": channel,
            "outcome": outcome,
            "reason": np.where(outcome == LOST, _reasons(frame, channel, rng.random(len(contact))), -1),
            "owner": numbers(contacts, "owner")[contact],
            "created_at": text_columns.moments(frame.history.zero + created),
            "closed_at": text_columns.moments(frame.history.zero + np.minimum(closes, frame.history.end)),
        }
    )


def _channels(person: Ints, leads: pa.Table, rng: np.random.Generator) -> Ints:
    """Return the channel a deal came by: its person's lead's, else any."""
    drawn = below(rng.random(len(person)), len(CHANNELS))
    known = numbers(leads, "person")
    at = np.minimum(np.searchsorted(known, person), len(known) - 1)
    return np.where(known[at] == person, numbers(leads, "channel")[at], drawn)


def _reasons(frame: Frame, channel: Ints, draws: Floats) -> Ints:
    """Return why each deal would be lost: the planted distribution of its channel."""
    reasons = np.zeros(len(channel), np.int64)
    for number, shares in enumerate(frame.plants.loss_reasons):
        of = channel == number
        reasons[of] = choose(draws[of], shares)
    return reasons


def _stages(frame: Frame, deals: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the stages of every deal in order: one to four, then won or lost; open deals stay in the last.

    `stage` is a place in STAGES, or after them WON or LOST.
    """
    outcome = numbers(deals, "outcome")
    reached = np.where(outcome == WON, len(STAGES), 1 + below(rng.random(len(outcome)), len(STAGES)))
    steps = reached + (outcome != OPEN)
    deal = np.repeat(np.arange(len(outcome)), steps)
    step = count_within(deal)
    closing = step == reached[deal]
    start = numbers(deals, "created_at")[deal]
    span = np.minimum(numbers(deals, "closed_at")[deal], frame.history.zero + frame.history.end - 1) - start
    share = np.where(closing, 1.0, step / (steps[deal] + 0.5))
    return pa.table(
        {
            "deal": deal,
            "person": numbers(deals, "person")[deal],
            "step": step + 1,
            "stage": np.where(closing, len(STAGES) - 1 + outcome[deal], step),
            "entered_at": text_columns.moments(start + (span * share).astype(np.int64)),
        }
    )


def _activities(
    frame: Frame, contacts: pa.Table, deals: pa.Table, staff: pa.Table, rng: np.random.Generator
) -> pa.Table:
    """Return what salespeople did, at their working hours; `deal` is -1 where it was about no deal."""
    of_deal = np.repeat(np.arange(len(deals)), rng.poisson(_ACTIVITIES, len(deals)))
    follow = np.repeat(np.arange(len(contacts)), rng.poisson(_FOLLOW_UPS, len(contacts)))
    contact = np.r_[numbers(deals, "contact")[of_deal], follow]
    start = np.r_[numbers(deals, "created_at")[of_deal], numbers(contacts, "created_at")[follow]]
    until = np.r_[numbers(deals, "closed_at")[of_deal], numbers(contacts, "created_at")[follow] + 365 * _DAY]
    at = start + (rng.random(len(contact)) * np.maximum(until - start, _DAY)).astype(np.int64)
    at = at // _DAY * _DAY + 9 * _HOUR + below(rng.random(len(at)), 9 * _HOUR)
    deal = np.r_[of_deal, np.full(len(follow), -1, np.int64)]
    keep = np.flatnonzero((at >= frame.history.zero) & (at < frame.history.zero + frame.history.end))
    keep = keep[np.argsort(contact[keep], kind="stable")]
    contact, at, deal = contact[keep], at[keep], deal[keep]
    person, owner = numbers(contacts, "person")[contact], numbers(contacts, "owner")[contact]
    key = person * ACTIVITIES_A_PERSON + count_within(person)
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
            "minutes": 2 + below(rng.random(len(at)) ** 2, 58),
            "note": _notes(frame, staff, owner, at, rng),
            "at": text_columns.moments(at),
        }
    )


def _notes(frame: Frame, staff: pa.Table, owner: Ints, at: Ints, rng: np.random.Generator) -> pa.Array:
    """Return what was written down: something about the case, nothing, or always the same."""
    draws, habit = rng.random(len(owner)), numbers(staff, "habit")[owner]
    opening, topic, product, after = (
        text_columns.pick(words, below(rng.random(len(owner)), len(words)))
        for words in (_OPENINGS, _TOPICS, _PRODUCTS, _NEXT)
    )
    pastes = (habit == PASTING) & (draws < frame.plants.pasted_notes)
    pasted = text_columns.pick(staff["pasted"].combine_chunks(), owner)
    careful = text_columns.joined(
        text_columns.days(at), opening, "，", topic, "（", product, "），", after, "。"
    )
    notes = pc.if_else(pa.array(pastes), pasted, careful)
    return text_columns.blank(notes, (habit == EMPTY) & (draws < frame.plants.empty_notes))
