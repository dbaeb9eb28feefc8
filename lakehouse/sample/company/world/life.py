"""How customers live week after week: they visit, buy, complain, and one week some stop for good.

Within a week each kind of order happens at most once. At the end of a week everybody who is still there stops
with the chance that the planted hazard gives for the drivers as they stand then. Nobody orders, visits or
complains in or before the week they joined, or after the one they stopped in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from lakehouse.sample.company.random_arrays import (
    Flags,
    Floats,
    Ints,
    choose,
    column_array,
    integers_below,
    stream,
)
from lakehouse.sample.company.world.catalogue import BABY, CHOCOLATE, COFFEE, REGULAR
from lakehouse.sample.company.world.waves import WAVES, wave_of, wave_start

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

WEEK, DAY, HOUR = 7 * 86_400, 86_400, 3600
COMPLAINT_DAYS = 60  # how long a complaint drives customers away
FRIDAY, EVENING = 4, (20, 22)
FAVOURITE = 0.5  # of regular orders are for the favourite category
# chance of each hour of the day; busy at noon and in the evening
HOURS = np.array([1, 0, 0, 0, 0, 0, 1, 3, 6, 8, 9, 9, 10, 9, 8, 8, 8, 9, 10, 12, 13, 12, 8, 3], np.float64)
LONGEST_JITTER = 3.0  # standard deviations of a cycle's jitter
TREATED = 0.5  # of a wave's audience
MOST_LIKELY = 0.9  # no weekly chance of an order is higher


class Order(NamedTuple):
    """Occasions to order within one week: whose (row of the chunk), of which category, when.

    `at` is in seconds since the beginning of day 0.
    """

    row: Ints
    category: Ints
    at: Ints


class _Traits(NamedTuple):
    """Columns of the persons, as arrays."""

    city: Ints
    joined: Ints
    cycle: Ints
    price_sensitive: Flags
    favourite: Ints
    young_parent: Flags
    regular_rate: Floats
    chocolate_rate: Floats
    baby_rate: Floats
    visit_rate: Floats


@dataclass
class _State:
    """Where every customer of the chunk stands; days and seconds since the beginning of day 0."""

    last_visit: Ints
    last_complaint: Ints
    next_cycle: Ints
    stopped: Ints  # first day without the customer; a day after history's end: never
    orders: Ints
    promoted: Ints
    noted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def note(self, table: str, **columns: Any) -> None:
        self.noted.setdefault(table, []).append(columns)


def live(scenario: Scenario, persons: pa.Table, chunk: int, *, panel: bool) -> dict[str, pa.Table]:
    """Return `occasions` to order, `visits`, `stops`, `assignments` and `drivers` of a chunk's people.

    Rows refer to people by `row`, their place in `persons`. `complained_at` of an occasion is when its order was
    complained about (-1: never). `drivers` has a row for each person and week at risk:
    what stood at its end, and whether the person stopped then; it is left out unless `panel` asks for it.
    """
    traits = _Traits(*(column_array(persons, name) for name in _Traits._fields))
    treated = stream(scenario.seed, "assignment", chunk).random((WAVES, len(traits.city))) < TREATED
    rng = stream(scenario.seed, "life", chunk)
    never = scenario.history.days + 1
    count = len(traits.city)
    state = _State(
        last_visit=np.maximum(traits.joined, -1),  # what was before history is not told
        last_complaint=np.full(count, -DAY * 10_000, np.int64),
        next_cycle=np.maximum(traits.joined, -1)
        + 7
        + integers_below(rng.random(count), np.maximum(traits.cycle, 1)),
        stopped=np.full(count, never, np.int64),
        orders=np.zeros(count, np.int64),
        promoted=np.zeros(count, np.int64),
    )
    for week in range(scenario.history.weeks):
        _week(scenario, traits, state, treated, week, rng)
    _assign(traits, state, treated)
    if not panel:
        state.noted.pop("drivers", None)
    state.note("stops", row=np.flatnonzero(state.stopped < never), day=state.stopped[state.stopped < never])
    return {name: _table(parts) for name, parts in state.noted.items()}


def _table(parts: list[dict[str, Any]]) -> pa.Table:
    return pa.table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _week(
    scenario: Scenario, traits: _Traits, state: _State, treated: Flags, week: int, rng: np.random.Generator
) -> None:
    """Live one week: who orders, visits and complains in it, and who stops at its end."""
    never = scenario.history.days + 1
    there = (traits.joined < week * 7) & (state.stopped == never)
    draws = rng.random((5, len(there)))
    lift = np.ones(len(there))
    if (wave := wave_of(week)) is not None:
        lift += scenario.plants.campaign_uplift * (treated[wave] & _audience(traits, wave))
    kinds = (
        _regular(traits, week, there & (draws[0] < _regular_chance(scenario, traits, week) * lift), rng),
        _baby(scenario, week, there & traits.young_parent & (draws[1] < traits.baby_rate * lift), rng),
        _chocolate(
            scenario, traits, week, there & (draws[2] < _chocolate_chance(scenario, traits, week) * lift), rng
        ),
        _cyclic(scenario, traits, state, week, there, rng),
    )
    order = Order(*(np.concatenate(parts) for parts in zip(*kinds, strict=True)))
    visiting = np.flatnonzero(there & (draws[3] < traits.visit_rate))
    visit_at = week * WEEK + _moments(rng, integers_below(rng.random(len(visiting)), 7))
    in_time = visit_at < scenario.history.end
    visiting, visit_at = visiting[in_time], visit_at[in_time]
    order = Order(*(column[order.at < scenario.history.end] for column in order))
    state.note("visits", row=visiting, at=visit_at)
    _ordered(scenario, state, week, order, rng)
    for row, at in ((order.row, order.at), (visiting, visit_at)):
        np.maximum.at(state.last_visit, row, at // DAY)
    if (week + 1) * 7 <= scenario.history.days:
        _stop(scenario, state, week, there, draws[4])


def _regular_chance(scenario: Scenario, traits: _Traits, week: int) -> Floats:
    """Return the weekly chance of a regular order: price-sensitive people wait for a promotion."""
    promoted = scenario.catalogue.promoted[traits.favourite, week]
    factor = np.where(promoted, scenario.plants.promoted_factor, scenario.plants.full_price_factor)
    chance: Floats = np.minimum(
        traits.regular_rate * np.where(traits.price_sensitive, factor, 1.0), MOST_LIKELY
    )
    return chance


def _regular(traits: _Traits, week: int, who: Flags, rng: np.random.Generator) -> Order:
    row = np.flatnonzero(who)
    other = np.asarray(REGULAR, np.int64)[integers_below(rng.random(len(row)), len(REGULAR))]
    keeps = traits.price_sensitive[row] | (rng.random(len(row)) < FAVOURITE)
    keeps |= (other == COFFEE) & (traits.cycle[row] > 0)  # a cycle is not disturbed
    category = np.where(keeps, traits.favourite[row], other)
    return Order(row, category, week * WEEK + _moments(rng, integers_below(rng.random(len(row)), 7)))


def _baby(scenario: Scenario, week: int, who: Flags, rng: np.random.Generator) -> Order:
    """Young parents buy when the week is done: on Friday evening, with the planted share."""
    row = np.flatnonzero(who)
    usual = _moments(rng, integers_below(rng.random(len(row)), 7))
    friday = (
        FRIDAY * DAY
        + EVENING[0] * HOUR
        + integers_below(rng.random(len(row)), (EVENING[1] - EVENING[0]) * HOUR)
    )
    at = np.where(rng.random(len(row)) < scenario.plants.friday_peak, friday, usual)
    return Order(row, np.full(len(row), BABY, np.int64), week * WEEK + at)


def _rain_weights(scenario: Scenario, week: int) -> Floats:
    """Return how much chocolate sells on each day of a week against a dry day, of shape (cities, 7)."""
    rainy = scenario.rain[:, week * 7 : week * 7 + 7]
    return np.where(rainy, 1 + scenario.plants.rain_lift, 1.0)


def _chocolate_chance(scenario: Scenario, traits: _Traits, week: int) -> Floats:
    """Return the weekly chance: the sum of the days', so that a dry day sells the same in any week."""
    chance: Floats = traits.chocolate_rate * _rain_weights(scenario, week).mean(axis=1)[traits.city]
    return chance


def _chocolate(scenario: Scenario, traits: _Traits, week: int, who: Flags, rng: np.random.Generator) -> Order:
    row = np.flatnonzero(who)
    bounds = np.cumsum(_rain_weights(scenario, week), axis=1)[traits.city[row]]
    day = (rng.random(len(row))[:, None] * bounds[:, -1:] >= bounds[:, :-1]).sum(axis=1)
    return Order(row, np.full(len(row), CHOCOLATE, np.int64), week * WEEK + _moments(rng, day))


def _cyclic(
    scenario: Scenario, traits: _Traits, state: _State, week: int, there: Flags, rng: np.random.Generator
) -> Order:
    """Who has a cycle buys coffee when it is due; the next time is counted from this one."""
    due = (traits.cycle > 0) & there & (state.next_cycle < (week + 1) * 7)
    row = np.flatnonzero(due)
    day = np.maximum(state.next_cycle[row], week * 7)
    jitter = (
        np.clip(rng.normal(size=len(row)), -LONGEST_JITTER, LONGEST_JITTER) * scenario.plants.cycle_jitter
    )
    state.next_cycle[row] = day + traits.cycle[row] + np.rint(jitter).astype(np.int64)
    return Order(row, np.full(len(row), COFFEE, np.int64), _moments(rng, day))


def _moments(rng: np.random.Generator, day: Ints) -> Ints:
    """Return a moment of each day at a usual hour, in seconds since the day that is counted from."""
    return day * DAY + choose(rng.random(len(day)), HOURS) * HOUR + integers_below(rng.random(len(day)), HOUR)


def _ordered(scenario: Scenario, state: _State, week: int, order: Order, rng: np.random.Generator) -> None:
    """Note the week's orders, and complaints: each after its order, before the week is over."""
    promoted = scenario.catalogue.promoted[order.category, week]
    np.add.at(state.orders, order.row, 1)
    np.add.at(state.promoted, order.row, promoted.astype(np.int64))
    complains = rng.random(len(order.row)) < scenario.plants.complaint_rate
    left = np.minimum((week + 1) * WEEK, scenario.history.end) - order.at
    at = order.at + 1 + integers_below(rng.random(len(order.row)), np.maximum(left - 1, 1))
    at = np.where(complains & (at < scenario.history.end), at, -1)
    state.note(
        "occasions", row=order.row, category=order.category, at=order.at, promoted=promoted, complained_at=at
    )
    complained = at >= 0
    np.maximum.at(state.last_complaint, order.row[complained], at[complained])


def _stop(scenario: Scenario, state: _State, week: int, there: Flags, draws: Floats) -> None:
    """Let people stop at the week's end, with the hazard of their drivers."""
    end, row = (week + 1) * 7, np.flatnonzero(there)
    hazard = scenario.plants.hazard
    complaint = state.last_complaint[row] >= (end - COMPLAINT_DAYS) * DAY
    idle = end - state.last_visit[row]
    share = state.promoted[row] / np.maximum(state.orders[row], 1)
    logit = hazard.intercept + hazard.complaint * complaint + hazard.day * idle + hazard.discount * share
    stops = draws[row] < 1 / (1 + np.exp(-logit))
    state.stopped[row[stops]] = end
    state.note(
        "drivers",
        row=row,
        day=np.full(len(row), end, np.int64),
        complaint=complaint,
        days_since_visit=idle,
        discount_share=share,
        stopped=stops,
    )


def _audience(traits: _Traits, wave: int) -> Flags:
    """Tell who may be drawn for a wave: who joined before its window and has no fixed cycle.

    The company does not know who has stopped, so they are drawn too.
    """
    found: Flags = (traits.joined < wave_start(wave)) & (traits.cycle == 0)
    return found


def _assign(traits: _Traits, state: _State, treated: Flags) -> None:
    """Note who was drawn for the campaign and who for its control, wave by wave."""
    for wave in range(WAVES):
        row = np.flatnonzero(_audience(traits, wave))
        state.note("assignments", row=row, wave=np.full(len(row), wave, np.int64), treated=treated[wave][row])
