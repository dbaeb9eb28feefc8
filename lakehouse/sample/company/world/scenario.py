"""What is the same for all customers: days, weather, products, shops, campaigns. Made once, from the seed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lakehouse.sample.company.policy import Plants
from lakehouse.sample.company.random_arrays import Flags, Floats, stream
from lakehouse.sample.company.world.catalogue import Catalogue, catalogue
from lakehouse.sample.company.world.days import DAYS_A_WEEK, History
from lakehouse.sample.company.world.places import CITIES

CRMS = ("hubspot", "salesforce", "zoho", "wukong", "huoban", "crm")
SHOPS = ("shop", "shopify", "woocommerce")
_WARM, _COLD_DAY, _SWING = 16.0, 20, 12.0  # mean °C, the coldest day of the year, half the yearly range


class Advertising(NamedTuple):
    """A campaign on an advertising platform; `budget` is fen a day for a thousand customers."""

    campaign_id: str
    name: str
    channel: str
    first_day: int
    days: int
    budget: int


ADVERTISING = tuple(
    Advertising(f"AD{n + 1:02d}", name, channel, n * 85, 120, budget)
    for n, (name, channel, budget) in enumerate(
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
    """The company without its customers. `rain` and `degrees` have shape (cities, days of whole weeks).

    `crms` are the CRMs that its offices work with: that of city n is number n, counted round. `shops` are the systems
    that sell: the first has the stores, the second the site, the third the app; the last of them has what is left.
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
    rng = stream(seed, "weather")
    shape = (len(CITIES), history.weeks * DAYS_A_WEEK)
    rain = rng.random(shape) < np.array([city.rain for city in CITIES])[:, None]
    of_year = np.array([history.date(day).timetuple().tm_yday for day in range(shape[1])])
    season = _WARM - _SWING * np.cos((of_year - _COLD_DAY) / 365 * 2 * np.pi)
    north = np.array([city.latitude - 30 for city in CITIES])[:, None]
    return Scenario(
        seed=seed,
        customers=customers,
        crms=crms,
        shops=shops,
        history=history,
        plants=plants,
        catalogue=catalogue(seed, history),
        rain=rain,
        millimetres=np.where(rain, rng.gamma(1.2, 8.0, shape) + 0.1, 0.0),
        degrees=season - 0.6 * north + rng.normal(0, 3, shape),
    )
