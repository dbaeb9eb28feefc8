"""How customers live week after week: they visit, buy, complain, and one week some stop for good.

An occasion is a moment at which somebody orders something of a category; `shopping` makes an order of each. Within a
week each kind of occasion comes at most once. At the end of a week everybody who is still a customer stops with the
chance that the planted hazard gives for the drivers as they are then. Nobody orders, visits or complains in or before
the week they joined, or after the one they stopped in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from lakehouse.sample.company.policy import CampaignPolicy, DemandPolicy
from lakehouse.sample.company.random_arrays import (
    Flags,
    Floats,
    Ints,
    choose,
    column_array,
    integers_below,
    random_stream,
)
from lakehouse.sample.company.units import DAY, DAYS_A_WEEK, HOUR, WEEK
from lakehouse.sample.company.world.catalogue import BABY, CHOCOLATE, COFFEE, REGULAR
from lakehouse.sample.company.world.waves import wave_of, wave_start

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

FRIDAY: Final = 4
EVENING_BEGINS: Final = 20 * HOUR
EVENING_SECONDS: Final = 2 * HOUR
# weights of the hours of a day; busy at noon and in the evening
HOUR_WEIGHTS = np.array(
    [1, 0, 0, 0, 0, 0, 1, 3, 6, 8, 9, 9, 10, 9, 8, 8, 8, 9, 10, 12, 13, 12, 8, 3], np.float64
)
LONGEST_JITTER: Final = 3.0  # standard deviations of a cycle's jitter
BEFORE_HISTORY: Final = -1  # the day of what was before history, which no export covers
_LONG_AGO: Final = -DAY * 10_000
NO_COMPLAINT: Final = -1


class Occasions(NamedTuple):
    """Occasions to order within one week: whose (row of the chunk), of which category, when.

    `at` is in seconds since the beginning of day 0.
    """

    row: Ints
    category: Ints
    at: Ints

    @classmethod
    def of_category(cls, row: Ints, category: int, at: Ints) -> Occasions:
        """Return occasions that are all of one category."""
        return cls(row, np.full(len(row), category, np.int64), at)

    def before(self, end: int) -> Occasions:
        """Return those before a moment."""
        return Occasions(*(column[self.at < end] for column in self))


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
    """What is known of every customer of the chunk by now; days and seconds since the beginning of day 0.

    `notes` collects the columns of each table, a dict a week.
    """

    last_visit: Ints
    last_complaint: Ints
    next_cycle: Ints
    stopped: Ints  # first day without the customer; a day after history's end: never
    orders: Ints
    promoted: Ints
    notes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def note(self, table: str, **columns: Any) -> None:
        """Note rows of a table."""
        self.notes.setdefault(table, []).append(columns)


def live(scenario: Scenario, persons: pa.Table, chunk: int, *, panel: bool) -> dict[str, pa.Table]:
    """Return `occasions` to order, `visits`, `stops`, `assignments` and `drivers` of a chunk's people.

    Rows refer to people by `row`, their row in `persons`. `complained_at` of an occasion is when its order was
    complained about (-1: never). `drivers` has a row for each person and week at risk:
    the drivers at its end, and whether the person stopped then; it is left out unless `panel` asks for it.
    """
    traits = _Traits(*(column_array(persons, name) for name in _Traits._fields))
    shape = (CampaignPolicy.waves, len(traits.city))
    treated = random_stream(scenario.seed, "assignment", chunk).random(shape) < CampaignPolicy.treated
    rng = random_stream(scenario.seed, "life", chunk)
    state = _first_state(scenario, traits, rng)
    for week in range(scenario.history.weeks):
        _live_week(scenario, traits, state, treated, week, rng)
    _note_assignments(traits, state, treated)
    if not panel:
        state.notes.pop("drivers", None)
    has_stopped = state.stopped < _never(scenario)
    state.note("stops", row=np.flatnonzero(has_stopped), day=state.stopped[has_stopped])
    return {name: _table(parts) for name, parts in state.notes.items()}


def _never(scenario: Scenario) -> int:
    """Return the day that stands for never."""
    return scenario.history.days + 1


def _first_state(scenario: Scenario, traits: _Traits, rng: np.random.Generator) -> _State:
    """Return what is known before the first week."""
    count = len(traits.city)
    joined = np.maximum(traits.joined, BEFORE_HISTORY)
    until_cycle = DAYS_A_WEEK + integers_below(rng.random(count), np.maximum(traits.cycle, 1))
    return _State(
        last_visit=joined,
        last_complaint=np.full(count, _LONG_AGO, np.int64),
        next_cycle=joined + until_cycle,
        stopped=np.full(count, _never(scenario), np.int64),
        orders=np.zeros(count, np.int64),
        promoted=np.zeros(count, np.int64),
    )


def _table(parts: list[dict[str, Any]]) -> pa.Table:
    return pa.table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _live_week(
    scenario: Scenario,
    traits: _Traits,
    state: _State,
    treated: Flags,
    week: int,
    rng: np.random.Generator,
) -> None:
    """Live one week: who orders, visits and complains in it, and who stops at its end."""
    is_customer = (traits.joined < week * DAYS_A_WEEK) & (state.stopped == _never(scenario))
    regular_draws, baby_draws, chocolate_draws, visit_draws, stop_draws = rng.random((5, len(is_customer)))
    lift = _campaign_lift(scenario, traits, treated, week)
    buys_regular = is_customer & (regular_draws < _regular_chance(scenario, traits, week) * lift)
    buys_baby = is_customer & traits.young_parent & (baby_draws < traits.baby_rate * lift)
    buys_chocolate = is_customer & (chocolate_draws < _chocolate_chance(scenario, traits, week) * lift)
    kinds = (
        _regular(traits, week, buys_regular, rng),
        _baby(scenario, week, buys_baby, rng),
        _chocolate(scenario, traits, week, buys_chocolate, rng),
        _cyclic(scenario, traits, state, week, is_customer, rng),
    )
    occasions = Occasions(*(np.concatenate(columns) for columns in zip(*kinds, strict=True)))
    occasions = occasions.before(scenario.history.end)
    visitor, visited_at = _visits(scenario, week, is_customer & (visit_draws < traits.visit_rate), rng)
    state.note("visits", row=visitor, at=visited_at)
    _note_occasions(scenario, state, week, occasions, rng)
    np.maximum.at(state.last_visit, occasions.row, occasions.at // DAY)
    np.maximum.at(state.last_visit, visitor, visited_at // DAY)
    is_full_week = (week + 1) * DAYS_A_WEEK <= scenario.history.days
    if is_full_week:
        _stop(scenario, state, week, is_customer, stop_draws)


def _campaign_lift(scenario: Scenario, traits: _Traits, treated: Flags, week: int) -> Floats:
    """Return what the campaign makes of everybody's chance to order in a week: 1 where it does nothing."""
    lift = np.ones(len(traits.city))
    wave = wave_of(week)
    if wave is not None:
        lift += scenario.plants.campaign_uplift * (treated[wave] & _audience(traits, wave))
    return lift


def _visits(scenario: Scenario, week: int, visits: Flags, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return who visits without an order, and when, as far as history goes."""
    visitor = np.flatnonzero(visits)
    visited_at = week * WEEK + _usual_moments(rng, _any_day(rng, len(visitor)))
    in_history = visited_at < scenario.history.end
    return visitor[in_history], visited_at[in_history]


def _any_day(rng: np.random.Generator, rows: int) -> Ints:
    return integers_below(rng.random(rows), DAYS_A_WEEK)


def _regular_chance(scenario: Scenario, traits: _Traits, week: int) -> Floats:
    """Return the weekly chance of a regular order: price-sensitive people wait for a promotion."""
    promoted = scenario.catalogue.promoted[traits.favourite, week]
    factor = np.where(promoted, scenario.plants.promoted_factor, scenario.plants.full_price_factor)
    own_factor = np.where(traits.price_sensitive, factor, 1.0)
    chance: Floats = np.minimum(traits.regular_rate * own_factor, DemandPolicy.highest_chance)
    return chance


def _regular(traits: _Traits, week: int, buys: Flags, rng: np.random.Generator) -> Occasions:
    row = np.flatnonzero(buys)
    any_category = np.asarray(REGULAR, np.int64)[integers_below(rng.random(len(row)), len(REGULAR))]
    wants_favourite = rng.random(len(row)) < DemandPolicy.favourite
    disturbs_cycle = (any_category == COFFEE) & (traits.cycle[row] > 0)
    keeps = traits.price_sensitive[row] | wants_favourite | disturbs_cycle
    category = np.where(keeps, traits.favourite[row], any_category)
    return Occasions(row, category, week * WEEK + _usual_moments(rng, _any_day(rng, len(row))))


def _baby(scenario: Scenario, week: int, buys: Flags, rng: np.random.Generator) -> Occasions:
    """Young parents buy when the week is done: on Friday evening, with the planted share."""
    row = np.flatnonzero(buys)
    usual = _usual_moments(rng, _any_day(rng, len(row)))
    friday = FRIDAY * DAY + EVENING_BEGINS + integers_below(rng.random(len(row)), EVENING_SECONDS)
    at = np.where(rng.random(len(row)) < scenario.plants.friday_peak, friday, usual)
    return Occasions.of_category(row, BABY, week * WEEK + at)


def _rain_weights(scenario: Scenario, week: int) -> Floats:
    """Return how much chocolate sells on each day of a week against a dry day, of shape (cities, 7)."""
    rainy = scenario.rain[:, week * DAYS_A_WEEK : (week + 1) * DAYS_A_WEEK]
    return np.where(rainy, 1 + scenario.plants.rain_lift, 1.0)


def _chocolate_chance(scenario: Scenario, traits: _Traits, week: int) -> Floats:
    """Return the weekly chance: the sum of the days', so that a dry day sells the same in any week."""
    chance: Floats = traits.chocolate_rate * _rain_weights(scenario, week).mean(axis=1)[traits.city]
    return chance


def _chocolate(
    scenario: Scenario, traits: _Traits, week: int, buys: Flags, rng: np.random.Generator
) -> Occasions:
    row = np.flatnonzero(buys)
    bounds = np.cumsum(_rain_weights(scenario, week), axis=1)[traits.city[row]]
    draws = rng.random(len(row))[:, None] * bounds[:, -1:]
    day = (draws >= bounds[:, :-1]).sum(axis=1)
    return Occasions.of_category(row, CHOCOLATE, week * WEEK + _usual_moments(rng, day))


def _cyclic(
    scenario: Scenario,
    traits: _Traits,
    state: _State,
    week: int,
    is_customer: Flags,
    rng: np.random.Generator,
) -> Occasions:
    """Who has a cycle buys coffee when it is due; the next time is counted from this one."""
    is_due = (traits.cycle > 0) & is_customer & (state.next_cycle < (week + 1) * DAYS_A_WEEK)
    row = np.flatnonzero(is_due)
    day = np.maximum(state.next_cycle[row], week * DAYS_A_WEEK)
    jitter = (
        np.clip(rng.normal(size=len(row)), -LONGEST_JITTER, LONGEST_JITTER) * scenario.plants.cycle_jitter
    )
    state.next_cycle[row] = day + traits.cycle[row] + np.rint(jitter).astype(np.int64)
    return Occasions.of_category(row, COFFEE, _usual_moments(rng, day))


def _usual_moments(rng: np.random.Generator, day: Ints) -> Ints:
    """Return a moment of each day at a usual hour, in seconds since the day that is counted from."""
    hour = choose(rng.random(len(day)), HOUR_WEIGHTS)
    return day * DAY + hour * HOUR + integers_below(rng.random(len(day)), HOUR)


def _note_occasions(
    scenario: Scenario, state: _State, week: int, occasions: Occasions, rng: np.random.Generator
) -> None:
    """Note the week's occasions, and complaints: each after its order, before the week is over."""
    row, at = occasions.row, occasions.at
    promoted = scenario.catalogue.promoted[occasions.category, week]
    np.add.at(state.orders, row, 1)
    np.add.at(state.promoted, row, promoted.astype(np.int64))
    complains = rng.random(len(row)) < scenario.plants.complaint_rate
    week_ends = np.minimum((week + 1) * WEEK, scenario.history.end)
    seconds_left = np.maximum(week_ends - at - 1, 1)
    complained_at = at + 1 + integers_below(rng.random(len(row)), seconds_left)
    is_complaint = complains & (complained_at < scenario.history.end)
    state.note(
        "occasions",
        row=row,
        category=occasions.category,
        at=at,
        promoted=promoted,
        complained_at=np.where(is_complaint, complained_at, NO_COMPLAINT),
    )
    np.maximum.at(state.last_complaint, row[is_complaint], complained_at[is_complaint])


def _stop(scenario: Scenario, state: _State, week: int, is_customer: Flags, draws: Floats) -> None:
    """Let people stop at the week's end, with the hazard of their drivers."""
    week_end, row = (week + 1) * DAYS_A_WEEK, np.flatnonzero(is_customer)
    hazard = scenario.plants.hazard
    has_complaint = state.last_complaint[row] >= (week_end - DemandPolicy.complaint_days) * DAY
    days_since_visit = week_end - state.last_visit[row]
    discount_share = state.promoted[row] / np.maximum(state.orders[row], 1)
    logit = (
        hazard.intercept
        + hazard.complaint * has_complaint
        + hazard.day * days_since_visit
        + hazard.discount * discount_share
    )
    stops = draws[row] < 1 / (1 + np.exp(-logit))
    state.stopped[row[stops]] = week_end
    state.note(
        "drivers",
        row=row,
        day=np.full(len(row), week_end, np.int64),
        complaint=has_complaint,
        days_since_visit=days_since_visit,
        discount_share=discount_share,
        stopped=stops,
    )


def _audience(traits: _Traits, wave: int) -> Flags:
    """Return who may be drawn for a wave: who joined before its window and has no fixed cycle.

    The company does not know who has stopped, so they are drawn too.
    """
    may_be_drawn: Flags = (traits.joined < wave_start(wave)) & (traits.cycle == 0)
    return may_be_drawn


def _note_assignments(traits: _Traits, state: _State, treated: Flags) -> None:
    """Note who was drawn for the campaign and who for its control, wave by wave."""
    for wave in range(CampaignPolicy.waves):
        row = np.flatnonzero(_audience(traits, wave))
        state.note("assignments", row=row, wave=np.full(len(row), wave, np.int64), treated=treated[wave][row])
