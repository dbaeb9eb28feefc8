"""Deals with the history of their stages, and what salespeople note while they work on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.id_series import IdSeries
from lakehouse.sample.company.policy import CHANNELS, CrmPolicy
from lakehouse.sample.company.random_arrays import (
    Floats,
    Ints,
    choose,
    column_array,
    integers_below,
    position_in_group,
)
from lakehouse.sample.company.units import DAY, HOUR
from lakehouse.sample.company.world.staff import EMPTY, PASTING

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

ACTIVITIES_A_PERSON: Final = 256  # more than anybody has; activity ids count in steps of it
NO_DEAL: Final = -1
NO_REASON: Final = -1
_DEAL_IDS = IdSeries("D", 67_867_979, 9)
_ACTIVITY_IDS = IdSeries("A", 49_979_687, 11)
STAGES = ("new", "qualified", "proposal", "negotiation")
OPEN, WON, LOST = range(3)
OUTCOMES = ("open", "won", "lost")
KINDS = ("call", "email", "meeting", "note")
_KIND_SHARES: Final = (0.4, 0.15, 0.15, 0.3)
_WORK_BEGINS: Final = 9 * HOUR
_WORKING_TIME: Final = 9 * HOUR
_LONGEST_FOLLOW_UP: Final = 365 * DAY  # after a contact was made
_PRODUCTS = ("婴儿房套装", "企业礼品", "全屋收纳", "会员年卡", "团购订单", "开学礼包")
_OPENINGS = ("电话联系客户", "微信沟通", "客户到店", "回访客户", "邮件跟进", "约见客户")
_TOPICS = ("咨询价格", "询问库存", "对比了其他品牌", "关心送货时间", "想看样品", "要求开发票", "讨论付款方式")
_NEXT_STEPS = ("下周再联系", "等家人商量", "已发报价", "约好再到店", "已转主管", "需要补充资料", "本月内决定")


class Selling(NamedTuple):
    """Deals, a row for each stage a deal was in, and activities."""

    deals: pa.Table
    stages: pa.Table
    activities: pa.Table


def make_selling(
    scenario: Scenario, contacts: pa.Table, leads: pa.Table, staff: pa.Table, rng: np.random.Generator
) -> Selling:
    """Return what a team sold to a chunk's people; `contact` is a row of `contacts`, `deal` one of `deals`."""
    deals = _deals(scenario, contacts, leads, rng)
    stages = _stages(scenario, deals, rng)
    return Selling(deals, stages, _activities(scenario, contacts, deals, staff, rng))


def _deals(scenario: Scenario, contacts: pa.Table, leads: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the deals of people's first records; `outcome` is OPEN while a deal closes after history."""
    contact, created = _contacts_with_deals(scenario, contacts, rng)
    person = column_array(contacts, "person")[contact]
    closes = created + 3 * DAY + (rng.gamma(2.0, 12.0, len(contact)) * DAY).astype(np.int64)
    is_lost = rng.random(len(contact)) < CrmPolicy.lost
    outcome = np.where(closes >= scenario.history.end, OPEN, np.where(is_lost, LOST, WON))
    channel = _channels(person, leads, rng)
    product = text.pick(_PRODUCTS, integers_below(rng.random(len(contact)), len(_PRODUCTS)))
    yuan = np.rint(rng.lognormal(7.3, 0.7, len(contact))).astype(np.int64)
    reason = _reasons(scenario, channel, rng.random(len(contact)))
    return pa.table(
        {
            "contact": contact,
            "row": column_array(contacts, "row")[contact],
            "person": person,
            "deal_id": _DEAL_IDS.ids(person),
            "product": product,
            "amount": yuan * 100,
            "channel": channel,
            "outcome": outcome,
            "reason": np.where(outcome == LOST, reason, NO_REASON),
            "owner": column_array(contacts, "owner")[contact],
            "created_at": text.timestamps(scenario.history.zero + created),
            "closed_at": text.timestamps(scenario.history.zero + np.minimum(closes, scenario.history.end)),
        }
    )


def _contacts_with_deals(
    scenario: Scenario, contacts: pa.Table, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Return the contacts that a deal is made with, and when it begins, in seconds of history."""
    person = column_array(contacts, "person")
    known_since = column_array(contacts, "created_at") - scenario.history.zero
    created = known_since + integers_below(rng.random(len(person)), 200 * DAY)
    has_deal = rng.random(len(person)) < CrmPolicy.deals
    is_first_record = position_in_group(person) == 0
    in_history = (created >= 0) & (created < scenario.history.end)
    contact = np.flatnonzero(has_deal & is_first_record & in_history)
    return contact, created[contact]


def _channels(person: Ints, leads: pa.Table, rng: np.random.Generator) -> Ints:
    """Return the channel a deal came by: its person's lead's, else any."""
    any_channel = integers_below(rng.random(len(person)), len(CHANNELS))
    lead_person = column_array(leads, "person")
    lead = np.minimum(np.searchsorted(lead_person, person), len(lead_person) - 1)
    was_lead = lead_person[lead] == person
    return np.where(was_lead, column_array(leads, "channel")[lead], any_channel)


def _reasons(scenario: Scenario, channel: Ints, draws: Floats) -> Ints:
    """Return why each deal would be lost: the planted distribution of its channel."""
    reasons = np.zeros(len(channel), np.int64)
    for number, shares in enumerate(scenario.plants.loss_reasons):
        in_channel = channel == number
        reasons[in_channel] = choose(draws[in_channel], shares)
    return reasons


def _stages(scenario: Scenario, deals: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the stages of every deal in order: one to four, then won or lost; open deals stay in the last.

    `stage` is an index in STAGES, or after them WON or LOST.
    """
    outcome = column_array(deals, "outcome")
    drawn = 1 + integers_below(rng.random(len(outcome)), len(STAGES))
    stages_reached = np.where(outcome == WON, len(STAGES), drawn)
    steps = stages_reached + (outcome != OPEN)
    deal = np.repeat(np.arange(len(outcome)), steps)
    step = position_in_group(deal)
    is_closing = step == stages_reached[deal]
    created = column_array(deals, "created_at")[deal]
    last_second = scenario.history.zero + scenario.history.end - 1
    seconds_open = np.minimum(column_array(deals, "closed_at")[deal], last_second) - created
    share_of_time = np.where(is_closing, 1.0, step / (steps[deal] + 0.5))
    return pa.table(
        {
            "deal": deal,
            "person": column_array(deals, "person")[deal],
            "step": step + 1,
            "stage": np.where(is_closing, len(STAGES) - 1 + outcome[deal], step),
            "entered_at": text.timestamps(created + (seconds_open * share_of_time).astype(np.int64)),
        }
    )


class _Occurrences(NamedTuple):
    """When salespeople did something with a contact, about a deal or none; in order of contact."""

    contact: Ints
    deal: Ints
    at: Ints


def _activities(
    scenario: Scenario, contacts: pa.Table, deals: pa.Table, staff: pa.Table, rng: np.random.Generator
) -> pa.Table:
    """Return what salespeople did, at their working hours; `deal` is NO_DEAL where it was about no deal."""
    contact, deal, at = _occurrences(scenario, contacts, deals, rng)
    person, owner = column_array(contacts, "person")[contact], column_array(contacts, "owner")[contact]
    key = person * ACTIVITIES_A_PERSON + position_in_group(person)
    return pa.table(
        {
            "contact": contact,
            "deal": deal,
            "person": person,
            "activity_id": _ACTIVITY_IDS.ids(key),
            "kind": choose(rng.random(len(at)), _KIND_SHARES),
            "owner": owner,
            "minutes": 2 + integers_below(rng.random(len(at)) ** 2, 58),
            "note": _notes(scenario, staff, owner, at, rng),
            "at": text.timestamps(at),
        }
    )


def _occurrences(
    scenario: Scenario, contacts: pa.Table, deals: pa.Table, rng: np.random.Generator
) -> _Occurrences:
    """Return the activities of deals while they are open, and follow-ups of contacts beside them."""
    deal = np.repeat(np.arange(len(deals)), rng.poisson(CrmPolicy.deal_activities, len(deals)))
    followed = np.repeat(np.arange(len(contacts)), rng.poisson(CrmPolicy.follow_ups, len(contacts)))
    followed_since = column_array(contacts, "created_at")[followed]
    contact = np.r_[column_array(deals, "contact")[deal], followed]
    begin = np.r_[column_array(deals, "created_at")[deal], followed_since]
    end = np.r_[column_array(deals, "closed_at")[deal], followed_since + _LONGEST_FOLLOW_UP]
    day = (begin + (rng.random(len(contact)) * np.maximum(end - begin, DAY)).astype(np.int64)) // DAY
    at = day * DAY + _WORK_BEGINS + integers_below(rng.random(len(day)), _WORKING_TIME)
    in_history = (at >= scenario.history.zero) & (at < scenario.history.zero + scenario.history.end)
    kept = np.flatnonzero(in_history)
    kept = kept[np.argsort(contact[kept], kind="stable")]
    deal_or_none = np.r_[deal, np.full(len(followed), NO_DEAL, np.int64)]
    return _Occurrences(contact[kept], deal_or_none[kept], at[kept])


def _notes(scenario: Scenario, staff: pa.Table, owner: Ints, at: Ints, rng: np.random.Generator) -> pa.Array:
    """Return what was written down: something about the case, nothing, or always the same."""
    draws, habit = rng.random(len(owner)), column_array(staff, "habit")[owner]
    opening, topic, product, next_step = (
        text.pick(phrases, integers_below(rng.random(len(owner)), len(phrases)))
        for phrases in (_OPENINGS, _TOPICS, _PRODUCTS, _NEXT_STEPS)
    )
    is_pasted = (habit == PASTING) & (draws < scenario.plants.pasted_notes)
    is_empty = (habit == EMPTY) & (draws < scenario.plants.empty_notes)
    pasted = text.pick(staff["pasted"].combine_chunks(), owner)
    careful = text.joined(text.days(at), opening, "，", topic, "（", product, "），", next_step, "。")
    return text.null_where(pc.if_else(pa.array(is_pasted), pasted, careful), is_empty)
