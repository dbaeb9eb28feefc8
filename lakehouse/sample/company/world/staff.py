"""Salespeople and agents: a team for every twenty thousand customers, so a large company has more of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.random_arrays import happens, stream
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.scenario import Scenario
from lakehouse.sample.purchases import names

CUSTOMERS_A_TEAM = 20_000
SALES, AGENTS = 12, 4
CAREFUL, EMPTY, PASTING = range(3)
HABITS = ("careful", "empty", "pasting")
_EMPTY_ONES, _PASTING_ONES = 2, 2  # of a team's salespeople
_PASTED = (
    "已电话沟通，客户有意向，后续跟进。",
    "客户暂时没空，下次再联系。",
    "已发送资料，等待客户回复。",
    "跟进中，无异常。",
)


def staff(scenario: Scenario, team: int) -> pa.Table:
    """Return the people of one team: first those who sell, then those who answer tickets.

    `habit` says how somebody writes notes; `pasted` is the one text of those who paste.
    """
    rng = stream(scenario.seed, "staff", team)
    count = SALES + AGENTS
    habit = np.zeros(count, np.int64)
    odd = rng.permutation(SALES)[: _EMPTY_ONES + _PASTING_ONES]
    habit[odd[:_EMPTY_ONES]], habit[odd[_EMPTY_ONES:]] = EMPTY, PASTING
    number = np.arange(count) + team * count + 1
    family, given = (
        rng.integers(0, len(names.SURNAMES), count),
        rng.integers(0, len(names.GIVEN_CHARACTERS), count),
    )
    sells = np.arange(count) < SALES
    return pa.table(
        {
            "user_id": text_columns.joined("U", text_columns.digits(number, 6)),
            "name": text_columns.joined(
                text_columns.pick([name for name, _ in names.SURNAMES], family),
                text_columns.pick([name for name, _ in names.GIVEN_CHARACTERS], given),
            ),
            "email": text_columns.joined("staff", text_columns.digits(number, 6), "@example.com"),
            "city": rng.integers(0, len(CITIES), count),
            "role": text_columns.pick(("agent", "sales"), sells.astype(np.int64)),
            "team": text_columns.joined(
                text_columns.pick(("客服组", "销售组"), sells.astype(np.int64)),
                text_columns.integers(np.full(count, team + 1)),
            ),
            "active": happens(rng, 0.95, count),
            "habit": habit,
            "pasted": text_columns.pick(_PASTED, number % len(_PASTED)),
        }
    )
