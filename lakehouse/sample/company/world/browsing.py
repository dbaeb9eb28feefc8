"""What people do on the site and in the app: visits without an order, and the way to each order made there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.random_arrays import (
    Flags,
    Ints,
    choose,
    column_array,
    happens,
    integers_below,
    position_in_group,
)
from lakehouse.sample.company.world.catalogue import CATEGORIES, PRODUCTS_A_CATEGORY
from lakehouse.sample.company.world.shopping import APP, STORE

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

PAGE, VIEW, IDENTIFY, ORDERED = range(4)
DEVICES_A_PERSON = 2
_SECOND_DEVICE, _OTHER_DEVICE = 0.30, 0.25  # of people have two; of their sessions are on the second
_VIEWS = (0.60, 0.30, 0.10)  # of visits without an order have one, two, three
_SIGNED_IN = 0.60  # of sessions before they order
_IDENTIFIES = 0.60  # of accounts tell the site who they are, with their first order there
_PAGES_SHARE = 0.40  # of views are pages without a product
PAGES = 5
_IN_APP = 0.60  # of visits without an order
_STEP = (15, 240)  # seconds between two views
_DAY, _BEFORE_ORDER = 86_400_000, 5_000  # milliseconds: a day; from signing in to the order


class Visits(NamedTuple):
    """Sessions, whichever way they ended: whose, on which account, when, and the order made (-1: none)."""

    row: Ints
    account: Ints
    at: Ints
    order: Ints
    app: Flags


def devices(persons: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the browsers and telephones of a chunk's people: two rows a person, the second often unused."""
    row = np.repeat(np.arange(len(persons)), DEVICES_A_PERSON)
    return pa.table(
        {
            "row": row,
            "person": column_array(persons, "person")[row],
            "anonymous_id": text_columns.uuids(rng.integers(0, 256, (len(row), 16), np.uint8)),
        }
    )


def events(
    scenario: Scenario, visits: pa.Table, accounts: pa.Table, orders: pa.Table, rng: np.random.Generator
) -> pa.Table:
    """Return the messages of all sessions, in order of time.

    `kind` is PAGE, VIEW, IDENTIFY or ORDERED; `subject` the page, product, account or order it is about; `device` a
    row of `devices`, `account` one of `accounts`; `at` is in milliseconds since 1970, local time.
    """
    sessions = _sessions(scenario, visits, accounts, orders, rng)
    views = np.where(sessions.order >= 0, 1, 1 + choose(rng.random(len(sessions.row)), _VIEWS))
    session = np.repeat(np.arange(len(views)), views)
    at, identify = _times(sessions, views, session, rng), _identifies(sessions, accounts, rng)
    ordered = np.flatnonzero(sessions.order >= 0)
    page = rng.random(len(session)) < _PAGES_SHARE
    product = _product(sessions, orders, session, rng)
    viewed = np.where(page, integers_below(rng.random(len(session)), PAGES), product)
    told_at = _within_day(sessions.at[identify], -_BEFORE_ORDER)
    parts = (
        (session, np.where(page, PAGE, VIEW), viewed, at),
        (identify, np.full(len(identify), IDENTIFY), sessions.account[identify], told_at),
        (ordered, np.full(len(ordered), ORDERED), sessions.order[ordered], sessions.at[ordered]),
    )
    of, kind, subject, when = (np.concatenate([part[n] for part in parts]) for n in range(4))
    signed_in = (kind >= IDENTIFY) | (rng.random(len(views)) < _SIGNED_IN)[of]
    second = (rng.random(int(column_array(accounts, "row")[-1]) + 1) < _SECOND_DEVICE)[sessions.row]
    device = sessions.row * DEVICES_A_PERSON + (second & (rng.random(len(views)) < _OTHER_DEVICE))
    begin, end = scenario.history.zero * 1000, (scenario.history.zero + scenario.history.end) * 1000
    in_time = np.flatnonzero((when >= begin) & (when < end))
    order = in_time[
        np.argsort(when[in_time], kind="stable")
    ]  # of equal moments the view, the sign-in, the order
    return pa.table(
        {
            "row": sessions.row[of][order],
            "device": device[of][order],
            "account": sessions.account[of][order],
            "signed_in": signed_in[order],
            "app": sessions.app[of][order],
            "kind": kind[order],
            "subject": subject[order],
            "at": when[order],
        }
    )


def _sessions(
    scenario: Scenario, visits: pa.Table, accounts: pa.Table, orders: pa.Table, rng: np.random.Generator
) -> Visits:
    """Return visits without an order, with the person's first account, and those that end in one."""
    first = np.searchsorted(column_array(accounts, "row"), row := column_array(visits, "row"))
    channel = column_array(orders, "channel")
    online = np.flatnonzero(channel != STORE)
    return Visits(
        row=np.r_[row, column_array(orders, "row")[online]],
        account=np.r_[first, column_array(orders, "account")[online]],
        at=np.r_[
            (column_array(visits, "at") + scenario.history.zero), column_array(orders, "ordered_at")[online]
        ]
        * 1000
        + integers_below(rng.random(len(row) + len(online)), 1000),
        order=np.r_[np.full(len(row), -1, np.int64), online],
        app=np.r_[happens(rng, _IN_APP, len(row)), channel[online] == APP],
    )


def _within_day(at: Ints, more: Ints | int) -> Ints:
    """Return moments so much later or earlier, yet on the same day: a session ends with its day."""
    midnight = at // _DAY * _DAY
    clipped: Ints = np.clip(at + more, midnight, midnight + _DAY - 1)
    return clipped


def _times(sessions: Visits, views: Ints, session: Ints, rng: np.random.Generator) -> Ints:
    """Return when each view was, in ms: after the visit began, or before the order."""
    step = (_STEP[0] + integers_below(rng.random(len(views)), _STEP[1] - _STEP[0]))[session] * 1000
    nth = position_in_group(session)
    steps: Ints = np.where(sessions.order[session] >= 0, nth - views[session], nth)
    return _within_day(sessions.at[session], steps * step)


def _identifies(sessions: Visits, accounts: pa.Table, rng: np.random.Generator) -> Ints:
    """Return the sessions that begin an account's life on the site: its first order there, of most accounts."""
    tells = rng.random(len(accounts)) < _IDENTIFIES
    ordered = np.flatnonzero(sessions.order >= 0)
    account = sessions.account[ordered]
    by_time = np.lexsort((sessions.at[ordered], account))
    first = by_time[np.unique(account[by_time], return_index=True)[1]]
    chosen = ordered[first]
    return chosen[tells[sessions.account[chosen]]]


def _product(sessions: Visits, orders: pa.Table, session: Ints, rng: np.random.Generator) -> Ints:
    """Return the product of each view: of the category that is then ordered, else any."""
    ordered = sessions.order[session]
    any_ = integers_below(rng.random(len(session)), len(CATEGORIES))
    category = np.where(ordered >= 0, column_array(orders, "category")[ordered], any_)
    return category * PRODUCTS_A_CATEGORY + integers_below(rng.random(len(session)), PRODUCTS_A_CATEGORY)
