"""What the CRM holds of people: contacts, several of one person too, and the leads they began as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.id_series import IdSeries
from lakehouse.sample.company.policy import CHANNELS, CrmPolicy
from lakehouse.sample.company.random_arrays import (
    Ints,
    choose,
    column_array,
    integers_below,
    position_in_group,
)
from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.people import NAMESAKE, ORDINARY, TRIO
from lakehouse.sample.company.world.scenario import ADVERTISING
from lakehouse.sample.company.world.staff import SALES

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

CONTACTS_A_PERSON: Final = 8  # more than anybody has; contact ids count in steps of it
AS_WRITTEN, HOMOPHONE, TITLE = range(3)  # how a record spells the name: right, by ear, or a title instead
MAIN, SECOND, NONE = range(3)  # which phone it has
NO_ADVERT: Final = -1
_CONTACT_IDS = IdSeries("CT", 122_949_823, 9)
_LEAD_IDS = IdSeries("L", 141_650_963, 9)
_TRIO_RECORDS: Final = 3
_SPELLING_SHARES: Final = (0.6, 0.2, 0.2)  # of second records
_PHONE_SHARES: Final = (0.6, 0.2, 0.2)
_CONSENTS = {"yes": 0.45, "no": 0.2, "": 0.35}  # and their shares
_STATUSES = {"converted": 0.8, "contacted": 0.15, "unqualified": 0.05}


def make_contacts(scenario: Scenario, persons: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the CRM's records of a chunk's people, a person's as neighbours.

    The planted three are 张伟, 张炜 and 张先生 at one address: the first two have the phone, the first and the last
    the e-mail. Other second records differ at random, and always share the phone or the e-mail.
    """
    planted = column_array(persons, "planted")
    row = np.repeat(np.arange(len(planted)), _records_of_each(planted, rng))
    nth = position_in_group(row)
    is_trio, is_second = planted[row] == TRIO, nth > 0
    spelling_draws, phone_draws, email_draws, joined_draws = rng.random((4, len(row)))
    spelling = np.where(is_second, choose(spelling_draws, _SPELLING_SHARES), AS_WRITTEN)
    phone = np.where(is_second, choose(phone_draws, _PHONE_SHARES), MAIN)
    has_email = ~is_second | (phone != MAIN) | (email_draws < CrmPolicy.second_email)
    joined = column_array(persons, "joined")[row] * DAY + integers_below(joined_draws, DAY)
    created = joined + np.where(is_second, integers_below(rng.random(len(row)), 400), 0) * DAY
    created = np.where(created < scenario.history.end, created, joined)
    updated = created + (rng.exponential(60.0, len(row)) * DAY).astype(np.int64)
    updated = np.clip(updated, created, scenario.history.end - 1)
    key = column_array(persons, "person")[row] * CONTACTS_A_PERSON + nth
    return pa.table(
        {
            "row": row,
            "person": key // CONTACTS_A_PERSON,
            "contact_id": _CONTACT_IDS.ids(key),
            "spelling": np.where(is_trio, nth, spelling),
            "phone": np.where(is_trio, np.where(nth == TITLE, NONE, MAIN), phone),
            "email": np.where(is_trio, nth != HOMOPHONE, has_email),
            "owner": integers_below(rng.random(len(row)), SALES),
            "consent": text.pick(list(_CONSENTS), choose(rng.random(len(row)), list(_CONSENTS.values()))),
            "created_at": text.timestamps(scenario.history.zero + created),
            "updated_at": text.timestamps(scenario.history.zero + updated),
        }
    )


def _records_of_each(planted: Ints, rng: np.random.Generator) -> Ints:
    """Return how many records each person has in the CRM; planted people are always there."""
    in_crm = (rng.random(len(planted)) < CrmPolicy.in_crm) | (planted != ORDINARY)
    twice = in_crm & (rng.random(len(planted)) < CrmPolicy.twice) & (planted != NAMESAKE)
    return np.where(planted == TRIO, _TRIO_RECORDS, in_crm.astype(np.int64) + twice)


def make_leads(scenario: Scenario, persons: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the leads that some people were before they joined; `advert` is an advertising campaign, or NO_ADVERT."""
    days_before = 1 + integers_below(rng.random(len(persons)), 30)
    joined = column_array(persons, "joined")
    row = np.flatnonzero((joined >= days_before) & (rng.random(len(persons)) < CrmPolicy.leads))
    created = (joined - days_before)[row] * DAY + integers_below(rng.random(len(row)), DAY)
    channel = choose(rng.random(len(row)), CrmPolicy.lead_channels)
    key = column_array(persons, "person")[row]
    return pa.table(
        {
            "row": row,
            "person": key,
            "lead_id": _LEAD_IDS.ids(key),
            "channel": channel,
            "advert": _advert(channel, created // DAY),
            "owner": integers_below(rng.random(len(row)), SALES),
            "status": text.pick(list(_STATUSES), choose(rng.random(len(row)), list(_STATUSES.values()))),
            "created_at": text.timestamps(scenario.history.zero + created),
        }
    )


def _advert(channel: Ints, day: Ints) -> Ints:
    """Return the campaign that ran on the channel on that day, the latest of them, or NO_ADVERT."""
    latest = np.full(len(day), NO_ADVERT, np.int64)
    for number, advert in enumerate(ADVERTISING):
        on_channel = channel == CHANNELS.index(advert.channel)
        latest[advert.runs_on(day) & on_channel] = number
    return latest
