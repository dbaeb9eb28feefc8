"""Tickets: every complaint of people's lives is one, and some orders bring a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.random_arrays import choose, column_array, integers_below, scramble
from lakehouse.sample.company.world.staff import AGENTS, SALES

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

_QUESTIONS = 0.05  # of orders
_DAY = 86_400
_RATED = 0.6  # of solved tickets
_COMPLAINTS = ("商品破损", "发错货", "物流太慢", "态度不好", "质量有问题")
_ASKED = ("什么时候发货", "怎么开发票", "能不能改地址", "有没有优惠", "怎么使用")


def tickets(scenario: Scenario, orders: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return tickets; `order` is a row of `orders`, `agent` one of the team's staff, `satisfaction` 1..5 or 0."""
    complained_at = column_array(orders, "complained_at")
    ordered_at = column_array(orders, "ordered_at") - scenario.history.zero
    asked_at = ordered_at + 60 + integers_below(rng.random(len(orders)), 3 * _DAY)
    asks = (rng.random(len(orders)) < _QUESTIONS) & (asked_at < scenario.history.end)
    complaints, questions = np.flatnonzero(complained_at >= 0), np.flatnonzero(asks)
    order = np.r_[complaints, questions]
    complaint = np.arange(len(order)) < len(complaints)
    created = np.r_[complained_at[complaints], asked_at[questions]]
    resolved = created + 600 + (rng.exponential(1.0, len(order)) * _DAY).astype(np.int64)
    open_ = resolved >= scenario.history.end
    content = choose(rng.random(len(order)), (0.05, 0.05, 0.1, 0.35, 0.45))
    upset = choose(rng.random(len(order)), (0.35, 0.30, 0.20, 0.10, 0.05))
    rated = ~open_ & (rng.random(len(order)) < _RATED)
    key = column_array(orders, "key")[order] * 2 + complaint
    subject = integers_below(rng.random(len(order)), len(_ASKED)) + len(_ASKED) * complaint
    return pa.table(
        {
            "order": order,
            "row": column_array(orders, "row")[order],
            "person": column_array(orders, "person")[order],
            "ticket_id": text_columns.joined("T", text_columns.digits(scramble(key, 32_452_843, 10**11), 11)),
            "complaint": complaint,
            "subject": text_columns.pick(_ASKED + _COMPLAINTS, subject),
            "satisfaction": np.where(rated, 1 + np.where(complaint, upset, content), 0),
            "agent": SALES + integers_below(rng.random(len(order)), AGENTS),
            "open": open_,
            "created_at": text_columns.timestamps(scenario.history.zero + created),
            "resolved_at": text_columns.timestamps(scenario.history.zero + resolved),
        }
    )
