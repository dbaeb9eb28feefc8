"""Tickets: every complaint of people's lives is one, and some orders bring a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.id_series import IdSeries
from lakehouse.sample.company.policy import CrmPolicy
from lakehouse.sample.company.random_arrays import Flags, Ints, choose, column_array, integers_below
from lakehouse.sample.company.units import DAY, MINUTE
from lakehouse.sample.company.world.staff import AGENTS, SALES

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

NOT_RATED: Final = 0
_TICKET_IDS = IdSeries("T", 32_452_843, 11)
_COMPLAINTS = ("商品破损", "发错货", "物流太慢", "态度不好", "质量有问题")
_QUESTIONS = ("什么时候发货", "怎么开发票", "能不能改地址", "有没有优惠", "怎么使用")
# shares of ratings 1 to 5
_RATINGS_OF_QUESTIONS: Final = (0.05, 0.05, 0.1, 0.35, 0.45)
_RATINGS_OF_COMPLAINTS: Final = (0.35, 0.30, 0.20, 0.10, 0.05)


def make_tickets(scenario: Scenario, orders: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return tickets, complaints first.

    `order` is a row of `orders`, `agent` one of the team's staff, `satisfaction` 1..5 or NOT_RATED.
    """
    complained_at = column_array(orders, "complained_at")
    complaints = np.flatnonzero(complained_at >= 0)
    questions, asked_at = _questions(scenario, orders, rng)
    order = np.r_[complaints, questions]
    is_complaint = np.arange(len(order)) < len(complaints)
    created = np.r_[complained_at[complaints], asked_at]
    resolved = created + 10 * MINUTE + (rng.exponential(1.0, len(order)) * DAY).astype(np.int64)
    is_open = resolved >= scenario.history.end
    satisfaction = _satisfaction(is_complaint, is_open, rng)
    key = column_array(orders, "key")[order] * 2 + is_complaint
    subject = integers_below(rng.random(len(order)), len(_QUESTIONS)) + len(_QUESTIONS) * is_complaint
    return pa.table(
        {
            "order": order,
            "row": column_array(orders, "row")[order],
            "person": column_array(orders, "person")[order],
            "ticket_id": _TICKET_IDS.ids(key),
            "complaint": is_complaint,
            "subject": text.pick(_QUESTIONS + _COMPLAINTS, subject),
            "satisfaction": satisfaction,
            "agent": SALES + integers_below(rng.random(len(order)), AGENTS),
            "open": is_open,
            "created_at": text.timestamps(scenario.history.zero + created),
            "resolved_at": text.timestamps(scenario.history.zero + resolved),
        }
    )


def _questions(scenario: Scenario, orders: pa.Table, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return the orders that bring a question, and when it is asked, in seconds of history."""
    ordered_at = column_array(orders, "ordered_at") - scenario.history.zero
    asked_at = ordered_at + MINUTE + integers_below(rng.random(len(orders)), 3 * DAY)
    asks = rng.random(len(orders)) < CrmPolicy.questions
    questions = np.flatnonzero(asks & (asked_at < scenario.history.end))
    return questions, asked_at[questions]


def _satisfaction(is_complaint: Flags, is_open: Flags, rng: np.random.Generator) -> Ints:
    """Return how satisfied customers are, as far as they say so when their ticket is solved."""
    content = choose(rng.random(len(is_open)), _RATINGS_OF_QUESTIONS)
    upset = choose(rng.random(len(is_open)), _RATINGS_OF_COMPLAINTS)
    is_rated = ~is_open & (rng.random(len(is_open)) < CrmPolicy.rated)
    return np.where(is_rated, 1 + np.where(is_complaint, upset, content), NOT_RATED)
