"""What people do on the site and in the app: visits without an order, and the way to each order made there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import BrowsingPolicy
from lakehouse.sample.company.random_arrays import (
    Flags,
    Ints,
    choose,
    column_array,
    happens,
    integers_below,
    position_in_group,
)
from lakehouse.sample.company.units import DAY, MILLISECONDS
from lakehouse.sample.company.world.adverts import brought_by
from lakehouse.sample.company.world.catalogue import CATEGORIES, PRODUCTS_A_CATEGORY
from lakehouse.sample.company.world.contacts import NO_ADVERT
from lakehouse.sample.company.world.shopping import APP, STORE

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

PAGE, VIEW, IDENTIFY, ORDERED = range(4)  # kinds of messages; those from IDENTIFY on are signed in
PAGES: Final = 5  # that the site has without a product
DEVICES_A_PERSON: Final = 2
NO_ORDER: Final = -1
_DAY_MS: Final = DAY * MILLISECONDS
_SIGN_IN_MS: Final = 5_000  # from signing in to the order


class Sessions(NamedTuple):
    """Sessions, a row each: whose, on which account, when it was (ms), the order it ended with, and whether in the app.

    `at` is the moment of the order, or the beginning of a visit without one.
    """

    row: Ints
    account: Ints
    at: Ints
    order: Ints
    app: Flags

    @property
    def orders(self) -> Flags:
        """Whether each ends with an order."""
        return self.order >= 0


class Messages(NamedTuple):
    """Messages of one kind or of all: the session of each, what it is, what it is about, and when it was (ms)."""

    session: Ints
    kind: Ints
    subject: Ints
    at: Ints


def make_devices(persons: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the browsers and telephones of a chunk's people: two rows a person, the second often unused."""
    row = np.repeat(np.arange(len(persons)), DEVICES_A_PERSON)
    return pa.table(
        {
            "row": row,
            "person": column_array(persons, "person")[row],
            "anonymous_id": text.uuids(rng.integers(0, 256, (len(row), 16), np.uint8)),
        }
    )


def make_events(
    scenario: Scenario,
    visits: pa.Table,
    accounts: pa.Table,
    orders: pa.Table,
    *,
    rng: np.random.Generator,
    advert_rng: np.random.Generator,
) -> pa.Table:
    """Return the messages of all sessions, in order of time.

    `advert` is the number of the campaign whose link the message was come to by, else `NO_ADVERT`; `kind` is PAGE,
    VIEW, IDENTIFY or ORDERED; `subject` the page, product, account or order it is about; `device` a row of `devices`,
    `account` one of `accounts`; `at` is in milliseconds since 1970, local time.
    """
    sessions = _sessions(scenario, visits, accounts, orders, rng)
    messages = _messages(sessions, accounts, orders, rng)
    signed_in_early = rng.random(len(sessions.row)) < BrowsingPolicy.signed_in
    signed_in = (messages.kind >= IDENTIFY) | signed_in_early[messages.session]
    device = _device_of(sessions, accounts, rng)
    advert = brought_by(scenario, sessions.at // _DAY_MS, sessions.orders, advert_rng)
    is_landing = (messages.kind < IDENTIFY) & (position_in_group(messages.session) == 0)
    is_landing &= ~sessions.app[messages.session]
    order = _by_time(scenario, messages.at)
    session = messages.session[order]
    return pa.table(
        {
            "row": sessions.row[session],
            "device": device[session],
            "account": sessions.account[session],
            "signed_in": signed_in[order],
            "app": sessions.app[session],
            "kind": messages.kind[order],
            "subject": messages.subject[order],
            "advert": np.where(is_landing, advert[messages.session], NO_ADVERT)[order],
            "at": messages.at[order],
        }
    )


def _sessions(
    scenario: Scenario, visits: pa.Table, accounts: pa.Table, orders: pa.Table, rng: np.random.Generator
) -> Sessions:
    """Return visits without an order, with the person's first account, and those that end in one."""
    visitor = column_array(visits, "row")
    first_account = np.searchsorted(column_array(accounts, "row"), visitor)
    channel = column_array(orders, "channel")
    online = np.flatnonzero(channel != STORE)
    visited_at = column_array(visits, "at") + scenario.history.zero
    seconds = np.r_[visited_at, column_array(orders, "ordered_at")[online]]
    milliseconds = integers_below(rng.random(len(seconds)), MILLISECONDS)
    in_app = happens(rng, BrowsingPolicy.in_app, len(visitor))
    return Sessions(
        row=np.r_[visitor, column_array(orders, "row")[online]],
        account=np.r_[first_account, column_array(orders, "account")[online]],
        at=seconds * MILLISECONDS + milliseconds,
        order=np.r_[np.full(len(visitor), NO_ORDER, np.int64), online],
        app=np.r_[in_app, channel[online] == APP],
    )


def _messages(sessions: Sessions, accounts: pa.Table, orders: pa.Table, rng: np.random.Generator) -> Messages:
    """Return the views of all sessions, then who signs in, then the orders."""
    views = np.where(sessions.orders, 1, 1 + choose(rng.random(len(sessions.row)), BrowsingPolicy.views))
    session = np.repeat(np.arange(len(views)), views)
    viewed_at = _view_times(sessions, views, session, rng)
    identify = _identifies(sessions, accounts, rng)
    ordered = np.flatnonzero(sessions.orders)
    is_page = rng.random(len(session)) < BrowsingPolicy.pages
    product = _product(sessions, orders, session, rng)
    page = integers_below(rng.random(len(session)), PAGES)
    parts = (
        Messages(session, np.where(is_page, PAGE, VIEW), np.where(is_page, page, product), viewed_at),
        Messages(
            identify,
            np.full(len(identify), IDENTIFY),
            sessions.account[identify],
            _within_day(sessions.at[identify], -_SIGN_IN_MS),
        ),
        Messages(ordered, np.full(len(ordered), ORDERED), sessions.order[ordered], sessions.at[ordered]),
    )
    return Messages(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _device_of(sessions: Sessions, accounts: pa.Table, rng: np.random.Generator) -> Ints:
    """Return the device of each session: the person's first, now and then the second where there is one."""
    people = int(column_array(accounts, "row")[-1]) + 1
    has_second = (rng.random(people) < BrowsingPolicy.second_device)[sessions.row]
    on_second = has_second & (rng.random(len(sessions.row)) < BrowsingPolicy.on_second_device)
    return sessions.row * DEVICES_A_PERSON + on_second


def _by_time(scenario: Scenario, at: Ints) -> Ints:
    """Return the messages that fall into history, in order of time; of equal moments the view, sign-in, order."""
    begin = scenario.history.zero * MILLISECONDS
    end = (scenario.history.zero + scenario.history.end) * MILLISECONDS
    in_history = np.flatnonzero((at >= begin) & (at < end))
    return in_history[np.argsort(at[in_history], kind="stable")]


def _within_day(at: Ints, more: Ints | int) -> Ints:
    """Return moments (ms) so much later or earlier, yet on the same day: a session ends with its day."""
    midnight = at // _DAY_MS * _DAY_MS
    clipped: Ints = np.clip(at + more, midnight, midnight + _DAY_MS - 1)
    return clipped


def _view_times(sessions: Sessions, views: Ints, session: Ints, rng: np.random.Generator) -> Ints:
    """Return when each view was, in ms: after the visit began, or before the order."""
    shortest, longest = BrowsingPolicy.step_seconds
    step_seconds = shortest + integers_below(rng.random(len(views)), longest - shortest)
    nth = position_in_group(session)
    steps: Ints = np.where(sessions.orders[session], nth - views[session], nth)
    return _within_day(sessions.at[session], steps * step_seconds[session] * MILLISECONDS)


def _identifies(sessions: Sessions, accounts: pa.Table, rng: np.random.Generator) -> Ints:
    """Return the sessions that begin an account's life on the site: its first order there, of most accounts."""
    identifies = rng.random(len(accounts)) < BrowsingPolicy.identifies
    ordered = np.flatnonzero(sessions.orders)
    account = sessions.account[ordered]
    by_account_and_time = np.lexsort((sessions.at[ordered], account))
    _, first_of_account = np.unique(account[by_account_and_time], return_index=True)
    first_session = ordered[by_account_and_time[first_of_account]]
    return first_session[identifies[sessions.account[first_session]]]


def _product(sessions: Sessions, orders: pa.Table, session: Ints, rng: np.random.Generator) -> Ints:
    """Return the product of each view: of the category that is then ordered, else any."""
    order = sessions.order[session]
    any_category = integers_below(rng.random(len(session)), len(CATEGORIES))
    category = np.where(order >= 0, column_array(orders, "category")[order], any_category)
    return category * PRODUCTS_A_CATEGORY + integers_below(rng.random(len(session)), PRODUCTS_A_CATEGORY)
