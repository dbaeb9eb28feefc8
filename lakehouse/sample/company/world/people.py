"""The people behind everything: who they truly are, whom they live with, how they like to shop.

Person n is the same in a company of any size: everything about a person is drawn from the stream of the chunk
that the number falls into. Numbers and addresses are permutations of it, so that no two people share one
unless they are meant to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.id_series import IdSeries
from lakehouse.sample.company.policy import DemandPolicy, PeoplePolicy
from lakehouse.sample.company.random_arrays import Flags, Ints, choose, happens, integers_below
from lakehouse.sample.company.world.catalogue import FAVOURITES
from lakehouse.sample.company.world.places import CITIES, ROADS
from lakehouse.sample.purchases import names
from lakehouse.sample.purchases.addresses import DOMAINS

if TYPE_CHECKING:
    from lakehouse.sample.company.world.scenario import Scenario

# kinds of planted identity, and the numbers of the people who have them among every `plants.every` people
ORDINARY, TRIO, EIGHT_ACCOUNTS, NAMESAKE = range(4)
PLANTED_NAMES = {ORDINARY: "", TRIO: "near_duplicate", EIGHT_ACCOUNTS: "eight_accounts", NAMESAKE: "namesake"}
_PLANTED_AT = {7: TRIO, 11: EIGHT_ACCOUNTS, 23: NAMESAKE, 24: NAMESAKE}
_PHONES = IdSeries("", 387_420_489, 9)
_SECOND_PHONES = IdSeries("", 244_140_625 - 2, 9)
_EMAIL_NUMBERS = IdSeries("", 48_828_125 - 2, 8)
_NAMESAKE_AGES: Final = (30, 45)  # of two namesakes who are neighbours
_FAMILIES = [family for family, _ in names.SURNAMES]
_GIVEN = [given for given, _ in names.GIVEN_CHARACTERS]
_LATIN_FAMILIES = [latin for _, latin in names.SURNAMES]
_LATIN_GIVEN = [latin for _, latin in names.GIVEN_CHARACTERS]
_ZHANG, _WEI = _FAMILIES.index("张"), _GIVEN.index("伟")
_NO_SECOND: Final = len(_GIVEN)  # the index of no second character


def make_persons(scenario: Scenario, first: int, count: int, rng: np.random.Generator) -> pa.Table:
    """Return `count` people from number `first` on, one a row.

    `household` is the number of the person who heads it; `joined` the day of history they became a customer
    (below zero: before it); `cycle` the days between purchases of coffee (0: no fixed cycle).
    """
    person = np.arange(first, first + count, dtype=np.int64)
    planted = _planted(scenario, person)
    is_head = _heads(planted, rng.random(count))
    head_row = np.maximum.accumulate(np.where(is_head, np.arange(count), 0))
    name_columns = _names(planted, rng)
    born, child_born = _birth_years(scenario, head_row, planted, rng)
    return pa.table(
        {
            "person": person,
            "household": person[head_row],
            "planted": planted,
            **name_columns,
            "male": happens(rng, 0.5, count),
            "birth_year": born,
            "child_birth_year": child_born,
            "young_parent": _young_parents(scenario, born, child_born),
            **_home(head_row, rng),
            **_addresses(person, head_row, is_head, name_columns["latin"], rng),
            "joined": _joined(scenario, count, rng),
            **_tastes(scenario, count, rng),
        }
    )


def _planted(scenario: Scenario, ids: Ints) -> Ints:
    kinds = np.full(len(ids), ORDINARY, np.int64)
    if scenario.plants.every:
        for number, kind in _PLANTED_AT.items():
            kinds[ids % scenario.plants.every == number] = kind
    return kinds


def _heads(planted: Ints, draws: Any) -> Flags:
    """Return who begins a household: planted people live alone, so whoever follows one begins the next."""
    lives_alone = planted != ORDINARY
    follows_one = np.r_[True, lives_alone[:-1]]
    is_head: Flags = (draws < PeoplePolicy.new_household) | lives_alone | follows_one
    return is_head


def _names(planted: Ints, rng: np.random.Generator) -> dict[str, Any]:
    """Return names by their characters, and as they stand in e-mail addresses."""
    count = len(planted)
    commonness = 1 / (np.arange(len(_FAMILIES)) + 8.0)  # the list begins with the commonest names
    family = choose(rng.random(count), commonness)
    first, second = integers_below(rng.random((2, count)), len(_GIVEN))
    second = np.where(happens(rng, 0.35, count), _NO_SECOND, second)
    is_zhang_wei = (planted == TRIO) | (planted == NAMESAKE)
    family = np.where(is_zhang_wei, _ZHANG, family)
    first = np.where(is_zhang_wei, _WEI, first)
    second = np.where(is_zhang_wei, _NO_SECOND, second)
    return {
        "family": text.pick(_FAMILIES, family),
        "given_first": text.pick(_GIVEN, first),
        "given_second": text.pick([*_GIVEN, ""], second),
        "latin": text.joined(
            text.pick(_LATIN_GIVEN, first),
            text.pick([*_LATIN_GIVEN, ""], second),
            ".",
            text.pick(_LATIN_FAMILIES, family),
        ),
    }


def _birth_years(
    scenario: Scenario, head_row: Ints, planted: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Return years of birth of the people, and of their households' youngest child (0: none)."""
    year, count = scenario.history.until.year, len(head_row)
    in_middle_age = happens(rng, 0.55, count)
    age = np.where(in_middle_age, rng.integers(24, 43, count), rng.integers(19, 76, count))
    namesake_age = np.asarray(_NAMESAKE_AGES)[np.arange(count) % len(_NAMESAKE_AGES)]
    age = np.where(planted == NAMESAKE, namesake_age, age)
    has_child = rng.random(count) < PeoplePolicy.child
    child_age = integers_below(rng.random(count) ** 1.6, 13)
    child_born = np.where(has_child, year - child_age, 0)
    return year - age, child_born[head_row]


def _young_parents(scenario: Scenario, born: Ints, child_born: Ints) -> Flags:
    """Return who is a parent of a young child when history ends."""
    year = scenario.history.until.year
    youngest, oldest = PeoplePolicy.parent_ages
    has_young_child = (child_born > 0) & (year - child_born <= PeoplePolicy.young_child_years)
    age = year - born
    young_parents: Flags = has_young_child & (age >= youngest) & (age <= oldest)
    return young_parents


def _home(head_row: Ints, rng: np.random.Generator) -> dict[str, Any]:
    """Return where people live; who shares a household shares the address."""
    count = len(head_row)
    city = choose(rng.random(count), [city.weight for city in CITIES])[head_row]
    district = rng.integers(0, 3, count)[head_row]
    road = rng.integers(0, len(ROADS), count)[head_row]
    number = rng.integers(1, 400, count)[head_row]
    block = rng.integers(1, 30, count)[head_row]
    floor = rng.integers(1, 33, count)[head_row]
    room = rng.integers(1, 5, count)[head_row]
    districts = [name for city in CITIES for name in city.districts]
    address = text.joined(
        text.pick(districts, city * 3 + district),
        text.pick(ROADS, road),
        text.integers(number),
        "号",
        text.integers(block),
        "栋",
        text.integers(floor),
        text.digits(room, 2),
        "室",
    )
    return {"city": city, "district": district, "address": address}


def _addresses(
    person: Ints, head_row: Ints, is_head: Flags, latin_names: pa.Array, rng: np.random.Generator
) -> dict[str, Any]:
    """Return phones (11 digits), e-mail and WeChat's unionid; some give the phone of whom they live with."""
    shares_phone = ~is_head & (rng.random(len(person)) < PeoplePolicy.shared_phone)
    phone_row = np.where(shares_phone, head_row, np.arange(len(person)))
    domain = text.pick(DOMAINS, rng.integers(0, len(DOMAINS), len(person)))
    email_number = text.integers(_EMAIL_NUMBERS.numbers(person))
    return {
        "phone": text.joined("13", _PHONES.ids(person).take(pa.array(phone_row))),
        "second_phone": text.joined("18", _SECOND_PHONES.ids(person)),
        "shares_phone": shares_phone,
        "email": text.joined(latin_names, email_number, "@", domain),
        "unionid": text.url_tokens("oU", rng.integers(0, 256, (len(person), 26), np.uint8)),
    }


def _joined(scenario: Scenario, count: int, rng: np.random.Generator) -> Ints:
    joined_before = rng.random(count) < PeoplePolicy.joined_before
    days = rng.integers(0, scenario.history.days - PeoplePolicy.quiet_end_days, count)
    return np.where(joined_before, -1 - days, days)


def _tastes(scenario: Scenario, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return weekly rates of orders and visits, and what is special about a customer.

    Rates differ between people by a gamma distribution, as in the NBD model (Ehrenberg 1959).
    """
    plants = scenario.plants
    habit_draws = rng.random(count)
    has_cycle = habit_draws < plants.cycle_share
    waits_for_promotions = ~has_cycle & (habit_draws < plants.cycle_share + plants.price_sensitive)
    cycles = np.asarray(plants.cycle_days, np.int64)[
        integers_below(rng.random(count), len(plants.cycle_days))
    ]
    return {
        "cycle": np.where(has_cycle, cycles, 0),
        "price_sensitive": waits_for_promotions,
        "favourite": np.asarray(FAVOURITES, np.int64)[integers_below(rng.random(count), len(FAVOURITES))],
        "regular_rate": rng.gamma(*DemandPolicy.regular_orders, count),
        "chocolate_rate": rng.gamma(*DemandPolicy.chocolate_orders, count),
        "baby_rate": rng.gamma(*DemandPolicy.baby_orders, count),
        "visit_rate": rng.beta(*DemandPolicy.visits, count),
    }
