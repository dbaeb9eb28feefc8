"""Which advertisement brought a session of the site: one whose campaign runs on its day, with the planted share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.contacts import NO_ADVERT
from lakehouse.sample.company.world.scenario import ADVERTISING

if TYPE_CHECKING:
    from lakehouse.sample.company.random_arrays import Flags, Floats, Ints
    from lakehouse.sample.company.world.scenario import Scenario

PLATFORMS: Final = ("douyin", "wechat", "search")  # those of `Plants.advert_orders`, in its order
_CHANNEL = np.array([PLATFORMS.index(advert.channel) for advert in ADVERTISING])


def brought_by(scenario: Scenario, day: Ints, orders: Flags, rng: np.random.Generator) -> Ints:
    """Return the number in `ADVERTISING` of the campaign that brought each session, else `NO_ADVERT`.

    `day` is counted in days since 1970, `orders` says which sessions end with an order. Of visits without one the
    planted share is divided among all campaigns that run; of orders each campaign that runs brings its channel's share.
    """
    in_history = day - scenario.history.zero // DAY
    runs = np.stack([advert.runs_on(in_history) for advert in ADVERTISING], axis=1)
    of_orders = np.array(scenario.plants.advert_orders)[_CHANNEL]
    running = np.maximum(runs.sum(axis=1, keepdims=True), 1)
    of_visits = scenario.plants.advert_visits / running
    chances: Floats = np.where(orders[:, None], of_orders, of_visits) * runs
    bounds = np.cumsum(chances, axis=1)
    draws = rng.random((len(day), 1))
    chosen = (draws >= bounds).sum(axis=1)
    return np.where(chosen < len(ADVERTISING), chosen, NO_ADVERT)
