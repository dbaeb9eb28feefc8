"""The people behind everything: who they truly are, whom they live with, how they like to shop.

Person n is the same in a company of any size: everything about a person is drawn from the stream of the chunk
that the number falls into. Numbers and addresses are permutations of it, so that no two people share one
unless they are meant to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns
from lakehouse.sample.company.random_arrays import Flags, Ints, choose, happens, integers_below, scramble
from lakehouse.sample.company.world.catalogue import FAVOURITES
from lakehouse.sample.company.world.places import CITIES, ROADS
from lakehouse.sample.purchases import names
from lakehouse.sample.purchases.addresses import DOMAINS

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

# kinds of planted identity, at these places among every `plants.every` people
ORDINARY, TRIO, EIGHT_ACCOUNTS, NAMESAKE = range(4)
_AT = {7: TRIO, 11: EIGHT_ACCOUNTS, 23: NAMESAKE, 24: NAMESAKE}
NEW_HOUSEHOLD = 0.62
CHILD = 0.38  # of households; the child's age is 0 to 12
YOUNG_CHILD = 3  # years, at the end of history
PARENT_AGES = (24, 42)
BEFORE = 0.35  # of people were customers before history begins
QUIET_END = 30  # days at the end in which nobody joins
SHARED_PHONE = 0.02  # of those who live with a customer give that one's phone
# shape and scale of the gamma distribution of weekly orders: usual ones, chocolate, young parents' baby goods
REGULAR_RATE, CHOCOLATE_RATE, BABY_RATE = (1.5, 0.036), (1.5, 0.015), (3.0, 0.045)
VISIT_RATE = (1.2, 18.8)  # beta: the chance of a visit without an order in a week
_FAMILIES = [family for family, _ in names.SURNAMES]
_GIVEN = [given for given, _ in names.GIVEN_CHARACTERS]
_LATIN_FAMILIES = [latin for _, latin in names.SURNAMES]
_LATIN_GIVEN = [latin for _, latin in names.GIVEN_CHARACTERS]
_ZHANG, _WEI, _NONE = _FAMILIES.index("张"), _GIVEN.index("伟"), len(_GIVEN)


def persons(scenario: Scenario, first: int, count: int, rng: np.random.Generator) -> pa.Table:
    """Return `count` people from number `first` on, one a row.

    `household` is the number of the person who heads it; `joined` the day of history they became a customer
    (below zero: before it); `cycle` the days between purchases of coffee (0: no fixed cycle).
    """
    ids = np.arange(first, first + count, dtype=np.int64)
    planted = _planted(scenario, ids)
    head = _heads(planted, rng.random(count))
    at = np.maximum.accumulate(np.where(head, np.arange(count), 0))
    named = _named(planted, rng)
    born, child_born = _ages(scenario, at, planted, rng)
    age, child = scenario.history.until.year - born, scenario.history.until.year - child_born
    young = (child_born > 0) & (child <= YOUNG_CHILD) & (age >= PARENT_AGES[0]) & (age <= PARENT_AGES[1])
    return pa.table(
        {
            "person": ids,
            "household": ids[at],
            "planted": planted,
            **named,
            "male": happens(rng, 0.5, count),
            "birth_year": born,
            "child_birth_year": child_born,
            "young_parent": young,
            **_home(at, rng),
            **_reached(ids, at, head, named, rng),
            "joined": _joined(scenario, count, rng),
            **_tastes(scenario, count, rng),
        }
    )


def _planted(scenario: Scenario, ids: Ints) -> Ints:
    kinds = np.full(len(ids), ORDINARY, np.int64)
    if scenario.plants.every:
        for place, kind in _AT.items():
            kinds[ids % scenario.plants.every == place] = kind
    return kinds


def _heads(planted: Ints, draws: Any) -> Flags:
    """Tell who begins a household: planted people live alone, so whoever follows one begins the next."""
    alone = planted != ORDINARY
    after = np.r_[True, alone[:-1]]
    found: Flags = (draws < NEW_HOUSEHOLD) | alone | after
    return found


def _named(planted: Ints, rng: np.random.Generator) -> dict[str, Any]:
    count = len(planted)
    commonness = 1 / (np.arange(len(_FAMILIES)) + 8.0)  # the list begins with the commonest names
    family = choose(rng.random(count), commonness)
    first, second = integers_below(rng.random((2, count)), len(_GIVEN))
    second = np.where(happens(rng, 0.35, count), _NONE, second)
    zhang_wei = (planted == TRIO) | (planted == NAMESAKE)
    family = np.where(zhang_wei, _ZHANG, family)
    first, second = np.where(zhang_wei, _WEI, first), np.where(zhang_wei, _NONE, second)
    return {
        "family": text_columns.pick(_FAMILIES, family),
        "given_first": text_columns.pick(_GIVEN, first),
        "given_second": text_columns.pick([*_GIVEN, ""], second),
        "latin": text_columns.joined(
            text_columns.pick(_LATIN_GIVEN, first),
            text_columns.pick([*_LATIN_GIVEN, ""], second),
            ".",
            text_columns.pick(_LATIN_FAMILIES, family),
        ),
    }


def _ages(scenario: Scenario, at: Ints, planted: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return years of birth of the people, and of their households' youngest child (0: none)."""
    year, count = scenario.history.until.year, len(at)
    adult = np.where(happens(rng, 0.55, count), rng.integers(24, 43, count), rng.integers(19, 76, count))
    adult = np.where(planted == NAMESAKE, 30 + 15 * (np.arange(count) % 2), adult)
    child = np.where(rng.random(count) < CHILD, year - integers_below(rng.random(count) ** 1.6, 13), 0)
    return year - adult, child[at]


def _home(at: Ints, rng: np.random.Generator) -> dict[str, Any]:
    """Return where people live; who shares a household shares the address."""
    count = len(at)
    city = choose(rng.random(count), [city.weight for city in CITIES])[at]
    district = rng.integers(0, 3, count)[at]
    road, number, block = (
        rng.integers(low, high, count)[at] for low, high in ((0, len(ROADS)), (1, 400), (1, 30))
    )
    floor, room = rng.integers(1, 33, count)[at], rng.integers(1, 5, count)[at]
    districts = [name for city in CITIES for name in city.districts]
    address = text_columns.joined(
        text_columns.pick(districts, city * 3 + district),
        text_columns.pick(ROADS, road),
        text_columns.integers(number),
        "号",
        text_columns.integers(block),
        "栋",
        text_columns.integers(floor),
        text_columns.digits(room, 2),
        "室",
    )
    return {"city": city, "district": district, "address": address}


def _reached(
    ids: Ints, at: Ints, head: Flags, named: dict[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    """Return phones (11 digits), e-mail and WeChat's unionid; some give the phone of whom they live with."""
    phone = text_columns.digits(scramble(ids, 387_420_489, 10**9), 9)
    second = text_columns.digits(scramble(ids, 244_140_625 - 2, 10**9), 9)
    shares = ~head & (rng.random(len(ids)) < SHARED_PHONE)
    domain = text_columns.pick(DOMAINS, rng.integers(0, len(DOMAINS), len(ids)))
    return {
        "phone": text_columns.joined("13", phone.take(pa.array(np.where(shares, at, np.arange(len(ids)))))),
        "second_phone": text_columns.joined("18", second),
        "shares_phone": shares,
        "email": text_columns.joined(
            named["latin"], text_columns.integers(scramble(ids, 48_828_125 - 2, 10**8)), "@", domain
        ),
        "unionid": text_columns.url_tokens("oU", rng.integers(0, 256, (len(ids), 26), np.uint8)),
    }


def _joined(scenario: Scenario, count: int, rng: np.random.Generator) -> Ints:
    before = rng.random(count) < BEFORE
    days = rng.integers(0, scenario.history.days - QUIET_END, count)
    return np.where(before, -1 - days, days)


def _tastes(scenario: Scenario, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return weekly rates of orders and visits, and what is special about a customer.

    Rates differ between people by a gamma distribution, as in the NBD model (Ehrenberg 1959).
    """
    plants = scenario.plants
    special = rng.random(count)
    cyclic = special < plants.cycle_share
    cycles = np.asarray(plants.cycle_days, np.int64)[
        integers_below(rng.random(count), len(plants.cycle_days))
    ]
    return {
        "cycle": np.where(cyclic, cycles, 0),
        "price_sensitive": ~cyclic & (special < plants.cycle_share + plants.price_sensitive),
        "favourite": np.asarray(FAVOURITES, np.int64)[integers_below(rng.random(count), len(FAVOURITES))],
        "regular_rate": rng.gamma(REGULAR_RATE[0], REGULAR_RATE[1], count),
        "chocolate_rate": rng.gamma(CHOCOLATE_RATE[0], CHOCOLATE_RATE[1], count),
        "baby_rate": rng.gamma(BABY_RATE[0], BABY_RATE[1], count),
        "visit_rate": rng.beta(*VISIT_RATE, count),
    }
