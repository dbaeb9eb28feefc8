"""Accounts in the shop, memberships and welcome coupons: most people have one account, some two, a few eight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.random_arrays import (
    Ints,
    choose,
    column_array,
    integers_below,
    position_in_group,
    scramble,
)
from lakehouse.sample.company.world.people import EIGHT_ACCOUNTS

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

MOST = 8  # accounts of one person
_SECOND, _THIRD = 0.10, 0.02  # of people have two, three accounts
_LEVELS = ("普通", "银卡", "金卡", "黑卡")
_CONSENTS = ("yes", "no", "")
_COUPON_USED = 0.4
_DAY = 86_400
# what of a person an account carries: phone and e-mail, phone alone, WeChat alone, the second phone
BOTH, PHONE, WECHAT, SECOND_PHONE = range(4)


def accounts(scenario: Scenario, persons: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the accounts of a chunk's people, a person's behind each other.

    `row` is the person's place in `persons`, `nth` the account's number among the person's. `carries` says what the
    account knows; the accounts of one person have at least WeChat's unionid or a phone in common.
    """
    planted = column_array(persons, "planted")
    draws = rng.random(len(planted))
    several = 1 + (draws < _SECOND + _THIRD) + (draws < _THIRD)
    row = np.repeat(np.arange(len(planted)), np.where(planted == EIGHT_ACCOUNTS, MOST, several))
    nth = position_in_group(row)
    key = column_array(persons, "person")[row] * MOST + nth
    later = np.where(nth == 0, 0, integers_below(rng.random(len(row)), 300)) * _DAY
    registered = (
        column_array(persons, "joined")[row] * _DAY + later + integers_below(rng.random(len(row)), _DAY)
    )
    registered = np.where(
        registered < scenario.history.end, registered, column_array(persons, "joined")[row] * _DAY
    )
    carries = choose(rng.random(len(row)), (0.55, 0.30, 0.10, 0.05))
    return pa.table(
        {
            "row": row,
            "person": key // MOST,
            "nth": nth,
            "customer_id": customer_ids(key),
            "carries": carries,
            "openid": text_columns.url_tokens("o", rng.integers(0, 256, (len(row), 27), np.uint8)),
            "registered_at": text_columns.timestamps(scenario.history.zero + registered),
            "level": text_columns.pick(_LEVELS, choose(rng.random(len(row)), (0.6, 0.25, 0.12, 0.03))),
            "consent": text_columns.pick(_CONSENTS, choose(rng.random(len(row)), (0.5, 0.2, 0.3))),
            "coupon_id": text_columns.joined(
                "WELCOME", text_columns.digits(scramble(key, 15_485_863, 10**10), 10)
            ),
            "uses_coupon": rng.random(len(row)) < _COUPON_USED,
        }
    )


def customer_ids(keys: Ints) -> pa.Array:
    """Return the shop's customer number of each account, which tells nothing of the person."""
    return text_columns.joined("C", text_columns.digits(scramble(keys, 179_424_673, 10**9), 9))
