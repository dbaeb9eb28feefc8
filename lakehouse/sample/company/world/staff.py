"""Staff: a team of salespeople and agents for every twenty thousand customers, so a large company has more of them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import TeamPolicy
from lakehouse.sample.company.random_arrays import Ints, happens, random_stream
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.scenario import Scenario
from lakehouse.sample.purchases import names

CUSTOMERS_A_TEAM: Final = 20_000
SALES: Final = 12  # salespeople of a team; they are its first rows
AGENTS: Final = 4
CAREFUL, EMPTY, PASTING = range(3)
HABITS = ("careful", "empty", "pasting")
_PASTED_NOTES = (
    "已电话沟通，客户有意向，后续跟进。",
    "客户暂时没空，下次再联系。",
    "已发送资料，等待客户回复。",
    "跟进中，无异常。",
)


def make_staff(scenario: Scenario, team: int) -> pa.Table:
    """Return the people of one team: first those who sell, then those who answer tickets.

    `habit` says how somebody writes notes; `pasted` is the one text of those who paste.
    """
    rng = random_stream(scenario.seed, "staff", team)
    count = SALES + AGENTS
    habit = _habits(rng, count)
    number = np.arange(count) + team * count + 1
    family = rng.integers(0, len(names.SURNAMES), count)
    given = rng.integers(0, len(names.GIVEN_CHARACTERS), count)
    sells = np.arange(count) < SALES
    return pa.table(
        {
            "user_id": text.joined("U", text.digits(number, 6)),
            "name": text.joined(
                text.pick([name for name, _ in names.SURNAMES], family),
                text.pick([name for name, _ in names.GIVEN_CHARACTERS], given),
            ),
            "email": text.joined("staff", text.digits(number, 6), "@example.com"),
            "city": rng.integers(0, len(CITIES), count),
            "role": text.either(sells, "sales", "agent"),
            "team": text.joined(
                text.either(sells, "销售组", "客服组"),
                text.integers(np.full(count, team + 1)),
            ),
            "active": happens(rng, TeamPolicy.active, count),
            "habit": habit,
            "pasted": text.pick(_PASTED_NOTES, number % len(_PASTED_NOTES)),
        }
    )


def _habits(rng: np.random.Generator, count: int) -> Ints:
    """Return how each member of a team writes notes: all carefully, but for some salespeople."""
    habit = np.full(count, CAREFUL, np.int64)
    shuffled = rng.permutation(SALES)
    empty = TeamPolicy.empty_note_writers
    habit[shuffled[:empty]] = EMPTY
    habit[shuffled[empty : empty + TeamPolicy.pasting_note_writers]] = PASTING
    return habit
