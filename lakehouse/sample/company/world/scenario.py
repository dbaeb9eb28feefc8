"""The scenario: what is the same for all customers. Days, weather, products, systems, campaigns; made from the seed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from lakehouse.sample.company.policy import Plants
from lakehouse.sample.company.random_arrays import Flags, Floats, Ints, random_stream
from lakehouse.sample.company.units import DAYS_A_WEEK
from lakehouse.sample.company.world.catalogue import Catalogue, make_catalogue
from lakehouse.sample.company.world.days import History
from lakehouse.sample.company.world.places import CITIES

CRMS = ("hubspot", "salesforce", "zoho", "wukong", "huoban", "crm")
SHOPS = ("shop", "shopify", "woocommerce")
# the invented weather, in °C
_YEARLY_MEAN: Final = 16.0
_HALF_YEARLY_RANGE: Final = 12.0
_COLDEST_DAY_OF_YEAR: Final = 20
_COLDER_A_DEGREE_NORTH: Final = 0.6  # of latitude 30


class Advertising(NamedTuple):
    """A campaign on an advertising platform.

    It runs for `days` from `first_day` of history; `budget` is fen a day for a thousand customers.
    """

    campaign_id: str
    name: str
    channel: str
    first_day: int
    days: int
    budget: int

    def runs_on(self, day: Ints) -> Flags:
        """Return whether it runs on each day of history."""
        return (day >= self.first_day) & (day < self.first_day + self.days)


ADVERTISING = tuple(
    Advertising(f"AD{number + 1:02d}", name, channel, first_day=number * 85, days=120, budget=budget)
    for number, (name, channel, budget) in enumerate(
        (
            ("夏日新品", "douyin", 5200),
            ("开学季", "search", 3900),
            ("双十一", "douyin", 9800),
            ("年货节", "wechat", 6400),
            ("春日焕新", "search", 4100),
            ("母婴周", "wechat", 4700),
            ("六一礼物", "douyin", 5600),
            ("年中大促", "search", 8800),
        )
    )
)


@dataclass(frozen=True)
class Scenario:
    """The company without its customers.

    `rain` and `degrees` have shape (cities, days of all weeks). `crms` are the CRMs that its offices work with: that
    of city n is number n, counted round. `shops` are the systems that sell: the first has the stores, the second the
    site, the third the app; the last of them has what is left.
    """

    seed: int
    customers: int
    crms: tuple[str, ...]
    shops: tuple[str, ...]
    history: History
    plants: Plants
    catalogue: Catalogue
    rain: Flags
    millimetres: Floats
    degrees: Floats


def make_scenario(
    seed: int,
    customers: int,
    until: dt.date,
    plants: Plants,
    crms: tuple[str, ...] = CRMS,
    shops: tuple[str, ...] = SHOPS,
) -> Scenario:
    """Return the company; but for `customers`, nothing of it depends on its size."""
    history = History.ending(until)
    rng = random_stream(seed, "weather")
    shape = (len(CITIES), history.weeks * DAYS_A_WEEK)
    rain = rng.random(shape) < np.array([city.rain for city in CITIES])[:, None]
    millimetres_of_rain = rng.gamma(1.2, 8.0, shape) + 0.1
    north = np.array([city.latitude - 30 for city in CITIES])[:, None]
    return Scenario(
        seed=seed,
        customers=customers,
        crms=crms,
        shops=shops,
        history=history,
        plants=plants,
        catalogue=make_catalogue(seed, history),
        rain=rain,
        millimetres=np.where(rain, millimetres_of_rain, 0.0),
        degrees=_season(history, shape[1]) - _COLDER_A_DEGREE_NORTH * north + rng.normal(0, 3, shape),
    )


def _season(history: History, days: int) -> Floats:
    """Return the usual temperature of each day of history at latitude 30, in °C."""
    day_of_year = np.array([history.date(day).timetuple().tm_yday for day in range(days)])
    since_coldest = (day_of_year - _COLDEST_DAY_OF_YEAR) / 365
    season: Floats = _YEARLY_MEAN - _HALF_YEARLY_RANGE * np.cos(since_coldest * 2 * np.pi)
    return season
