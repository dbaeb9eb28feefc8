"""What the CRM holds of people: contacts, several of one person too, and the leads they began as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.policy import CHANNELS
from lakehouse.sample.company.random_arrays import (
    Ints,
    choose,
    column_array,
    integers_below,
    position_in_group,
    scramble,
)
from lakehouse.sample.company.world.people import NAMESAKE, ORDINARY, TRIO
from lakehouse.sample.company.world.scenario import ADVERTISING
from lakehouse.sample.company.world.staff import SALES

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

MOST = 8  # records of one person
IN_CRM = 0.75
TWICE = 0.12  # of people in the CRM are there twice
AS_WRITTEN, HOMOPHONE, TITLE = range(3)  # how a record spells the name
MAIN, SECOND, NONE = range(3)  # which phone it has
_WITH_EMAIL = 0.5  # of second records that have the phone
_LEADS = 0.40
_CHANNEL_SHARES = (0.28, 0.24, 0.18, 0.18, 0.12)
_DAY = 86_400


def contacts(scenario: Scenario, persons: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the CRM's records of a chunk's people, a person's behind each other.

    The planted three are 张伟, 张炜 and 张先生 at one address: the first two have the phone, the first and the last
    the e-mail. Other second records differ at random, and always share the phone or the e-mail.
    """
    planted = column_array(persons, "planted")
    here = (rng.random(len(planted)) < IN_CRM) | (planted != ORDINARY)
    twice = here & (rng.random(len(planted)) < TWICE) & (planted != NAMESAKE)
    row = np.repeat(np.arange(len(planted)), np.where(planted == TRIO, 3, here.astype(np.int64) + twice))
    nth, trio = position_in_group(row), planted[row] == TRIO
    again, draws = nth > 0, rng.random((4, len(row)))
    spelling = np.where(again, choose(draws[0], (0.6, 0.2, 0.2)), AS_WRITTEN)
    phone = np.where(again, choose(draws[1], (0.6, 0.2, 0.2)), MAIN)
    email = ~again | (phone != MAIN) | (draws[2] < _WITH_EMAIL)
    joined = column_array(persons, "joined")[row] * _DAY + integers_below(draws[3], _DAY)
    created = joined + np.where(again, integers_below(rng.random(len(row)), 400), 0) * _DAY
    created = np.where(created < scenario.history.end, created, joined)
    updated = created + (rng.exponential(60.0, len(row)) * _DAY).astype(np.int64)
    key = column_array(persons, "person")[row] * MOST + nth
    return pa.table(
        {
            "row": row,
            "person": key // MOST,
            "contact_id": text_columns.joined(
                "CT", text_columns.digits(scramble(key, 122_949_823, 10**9), 9)
            ),
            "spelling": np.where(trio, nth, spelling),
            "phone": np.where(trio, np.where(nth == TITLE, NONE, MAIN), phone),
            "email": np.where(trio, nth != HOMOPHONE, email),
            "owner": integers_below(rng.random(len(row)), SALES),
            "consent": text_columns.pick(("yes", "no", ""), choose(rng.random(len(row)), (0.45, 0.2, 0.35))),
            "created_at": text_columns.timestamps(scenario.history.zero + created),
            "updated_at": text_columns.timestamps(
                scenario.history.zero + np.clip(updated, created, scenario.history.end - 1)
            ),
        }
    )


def leads(scenario: Scenario, persons: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the leads that some people were before they joined; `advert` is an advertising campaign, or -1."""
    before = 1 + integers_below(rng.random(len(persons)), 30)
    joined = column_array(persons, "joined")
    row = np.flatnonzero((joined >= before) & (rng.random(len(persons)) < _LEADS))
    created = (joined - before)[row] * _DAY + integers_below(rng.random(len(row)), _DAY)
    channel = choose(rng.random(len(row)), _CHANNEL_SHARES)
    key = column_array(persons, "person")[row]
    return pa.table(
        {
            "row": row,
            "person": key,
            "lead_id": text_columns.joined("L", text_columns.digits(scramble(key, 141_650_963, 10**9), 9)),
            "channel": channel,
            "advert": _advert(channel, created // _DAY),
            "owner": integers_below(rng.random(len(row)), SALES),
            "status": text_columns.pick(
                ("converted", "contacted", "unqualified"), choose(rng.random(len(row)), (0.8, 0.15, 0.05))
            ),
            "created_at": text_columns.timestamps(scenario.history.zero + created),
        }
    )


def _advert(channel: Ints, day: Ints) -> Ints:
    """Return the campaign that ran on the channel on that day, the latest of them, or -1."""
    found = np.full(len(day), -1, np.int64)
    for number, advert in enumerate(ADVERTISING):
        runs = (day >= advert.first_day) & (day < advert.first_day + advert.days)
        found[runs & (channel == CHANNELS.index(advert.channel))] = number
    return found
