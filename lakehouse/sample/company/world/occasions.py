"""Occasions: the moments of one week at which somebody orders something of a category.

Each kind of occasion comes at most once a week. Who has one is decided by a draw for each person against the chance;
when it is, and what it is about, is drawn for those alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from lakehouse.sample.company.policy import DemandPolicy
from lakehouse.sample.company.random_arrays import Flags, Floats, Ints, choose, integers_below
from lakehouse.sample.company.units import DAY, DAYS_A_WEEK, HOUR, WEEK
from lakehouse.sample.company.world.catalogue import BABY, CHOCOLATE, COFFEE, REGULAR

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


class Traits(NamedTuple):
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


def regular_chance(scenario: Scenario, traits: Traits, week: int) -> Floats:
    """Return the weekly chance of a regular order: price-sensitive people wait for a promotion."""
    promoted = scenario.catalogue.promoted[traits.favourite, week]
    factor = np.where(promoted, scenario.plants.promoted_factor, scenario.plants.full_price_factor)
    own_factor = np.where(traits.price_sensitive, factor, 1.0)
    chance: Floats = np.minimum(traits.regular_rate * own_factor, DemandPolicy.highest_chance)
    return chance


def regular_occasions(traits: Traits, week: int, buys: Flags, rng: np.random.Generator) -> Occasions:
    """Return the regular orders of who buys: for the favourite category, or for any."""
    row = np.flatnonzero(buys)
    any_category = np.asarray(REGULAR, np.int64)[integers_below(rng.random(len(row)), len(REGULAR))]
    wants_favourite = rng.random(len(row)) < DemandPolicy.favourite
    disturbs_cycle = (any_category == COFFEE) & (traits.cycle[row] > 0)
    keeps = traits.price_sensitive[row] | wants_favourite | disturbs_cycle
    category = np.where(keeps, traits.favourite[row], any_category)
    return Occasions(row, category, week * WEEK + usual_moments(rng, any_day(rng, len(row))))


def baby_occasions(scenario: Scenario, week: int, buys: Flags, rng: np.random.Generator) -> Occasions:
    """Return the baby goods of who buys: when the week is done, on Friday evening, with the planted share."""
    row = np.flatnonzero(buys)
    usual = usual_moments(rng, any_day(rng, len(row)))
    friday = FRIDAY * DAY + EVENING_BEGINS + integers_below(rng.random(len(row)), EVENING_SECONDS)
    at = np.where(rng.random(len(row)) < scenario.plants.friday_peak, friday, usual)
    return Occasions.of_category(row, BABY, week * WEEK + at)


def _rain_weights(scenario: Scenario, week: int) -> Floats:
    """Return how much chocolate sells on each day of a week against a dry day, of shape (cities, 7)."""
    rainy = scenario.rain[:, week * DAYS_A_WEEK : (week + 1) * DAYS_A_WEEK]
    return np.where(rainy, 1 + scenario.plants.rain_lift, 1.0)


def chocolate_chance(scenario: Scenario, traits: Traits, week: int) -> Floats:
    """Return the weekly chance: the sum of the days', so that a dry day sells the same in any week."""
    chance: Floats = traits.chocolate_rate * _rain_weights(scenario, week).mean(axis=1)[traits.city]
    return chance


def chocolate_occasions(
    scenario: Scenario, traits: Traits, week: int, buys: Flags, rng: np.random.Generator
) -> Occasions:
    """Return the chocolate of who buys: on a day of the week in proportion to what it sells."""
    row = np.flatnonzero(buys)
    bounds = np.cumsum(_rain_weights(scenario, week), axis=1)[traits.city[row]]
    draws = rng.random(len(row))[:, None] * bounds[:, -1:]
    day = (draws >= bounds[:, :-1]).sum(axis=1)
    return Occasions.of_category(row, CHOCOLATE, week * WEEK + usual_moments(rng, day))


def cyclic_occasions(
    scenario: Scenario, week: int, row: Ints, due: Ints, cycle: Ints, rng: np.random.Generator
) -> tuple[Occasions, Ints]:
    """Return coffee for those whose cycle is due, and the day on which each is due again, counted from this one."""
    day = np.maximum(due, week * DAYS_A_WEEK)
    deviations = np.clip(rng.normal(size=len(row)), -LONGEST_JITTER, LONGEST_JITTER)
    jitter = np.rint(deviations * scenario.plants.cycle_jitter).astype(np.int64)
    return Occasions.of_category(row, COFFEE, usual_moments(rng, day)), day + cycle + jitter


def usual_moments(rng: np.random.Generator, day: Ints) -> Ints:
    """Return a moment of each day at a usual hour, in seconds since the day that is counted from."""
    hour = choose(rng.random(len(day)), HOUR_WEIGHTS)
    return day * DAY + hour * HOUR + integers_below(rng.random(len(day)), HOUR)


def any_day(rng: np.random.Generator, rows: int) -> Ints:
    """Return a day of the week, 0 to 6, for each row."""
    return integers_below(rng.random(rows), DAYS_A_WEEK)
