"""Accounts in the shop, memberships and welcome coupons: most people have one account, some two, a few eight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.id_series import IdSeries
from lakehouse.sample.company.policy import ShopPolicy
from lakehouse.sample.company.random_arrays import (
    Floats,
    Ints,
    choose,
    column_array,
    integers_below,
    position_in_group,
)
from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.people import EIGHT_ACCOUNTS

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

ACCOUNTS_A_PERSON: Final = 8  # at most; account ids count in steps of it
CUSTOMER_IDS = IdSeries("C", 179_424_673, 9)
_COUPON_IDS = IdSeries("WELCOME", 15_485_863, 10)
_LEVELS = {"普通": 0.6, "银卡": 0.25, "金卡": 0.12, "黑卡": 0.03}  # and their shares
_CONSENTS = {"yes": 0.5, "no": 0.2, "": 0.3}
# what of a person an account carries: phone and e-mail, phone alone, WeChat alone, the second phone
BOTH, PHONE, WECHAT, SECOND_PHONE = range(4)
_CARRIES_SHARES: Final = (0.55, 0.30, 0.10, 0.05)


def make_accounts(scenario: Scenario, persons: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the accounts of a chunk's people, a person's as neighbours.

    `row` is the person's row in `persons`, `nth` the account's number among the person's. `carries` says what the
    account knows; the accounts of one person have at least WeChat's unionid or a phone in common.
    """
    planted = column_array(persons, "planted")
    row = np.repeat(np.arange(len(planted)), _accounts_of_each(planted, rng.random(len(planted))))
    nth = position_in_group(row)
    key = column_array(persons, "person")[row] * ACCOUNTS_A_PERSON + nth
    registered = _registered(scenario, column_array(persons, "joined")[row], nth, rng)
    carries = choose(rng.random(len(row)), _CARRIES_SHARES)
    return pa.table(
        {
            "row": row,
            "person": key // ACCOUNTS_A_PERSON,
            "nth": nth,
            "customer_id": CUSTOMER_IDS.ids(key),
            "carries": carries,
            "openid": text.url_tokens("o", rng.integers(0, 256, (len(row), 27), np.uint8)),
            "registered_at": text.timestamps(scenario.history.zero + registered),
            "level": text.pick(list(_LEVELS), choose(rng.random(len(row)), list(_LEVELS.values()))),
            "consent": text.pick(list(_CONSENTS), choose(rng.random(len(row)), list(_CONSENTS.values()))),
            "coupon_id": _COUPON_IDS.ids(key),
            "uses_coupon": rng.random(len(row)) < ShopPolicy.coupon_used,
        }
    )


def _accounts_of_each(planted: Ints, draws: Floats) -> Ints:
    """Return how many accounts each person has."""
    has_two = draws < ShopPolicy.second_account + ShopPolicy.third_account
    has_three = draws < ShopPolicy.third_account
    usual = 1 + has_two + has_three
    return np.where(planted == EIGHT_ACCOUNTS, ACCOUNTS_A_PERSON, usual)


def _registered(scenario: Scenario, joined: Ints, nth: Ints, rng: np.random.Generator) -> Ints:
    """Return when accounts are registered, in seconds of history: the first on the day of joining, others later."""
    days_later = np.where(nth == 0, 0, integers_below(rng.random(len(nth)), 300))
    registered = (joined + days_later) * DAY + integers_below(rng.random(len(nth)), DAY)
    return np.where(registered < scenario.history.end, registered, joined * DAY)
