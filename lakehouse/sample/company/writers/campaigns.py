"""The marketing department's list of campaigns: advertising, promotions by category and week, the welcome coupon."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from lakehouse.sample.company.units import DAYS_A_WEEK
from lakehouse.sample.company.world.catalogue import CATEGORIES
from lakehouse.sample.company.world.scenario import ADVERTISING
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, Export

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.days import History
    from lakehouse.sample.company.world.scenario import Scenario


class _Campaign(NamedTuple):
    """A row of the list; days are those of history, None where a campaign has no end."""

    campaign_id: str
    name: str
    kind: str
    channel: str | None
    first_day: int
    last_day: int | None


def of_company(scenario: Scenario) -> Iterator[Export]:
    """Yield every campaign that coupons, orders, leads and spend may name."""
    history = scenario.history
    campaigns = [_WELCOME, *_advertising(history), *_promotions(scenario)]
    columns = {
        "campaign_id": [campaign.campaign_id for campaign in campaigns],
        "name": [campaign.name for campaign in campaigns],
        "kind": [campaign.kind for campaign in campaigns],
        "channel": [campaign.channel for campaign in campaigns],
        "starts_on": [_date(history, campaign.first_day) for campaign in campaigns],
        "ends_on": [_date(history, campaign.last_day) for campaign in campaigns],
        "source": [GENERATED for _ in campaigns],
    }
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    yield Export("crm/campaigns", table)


_WELCOME = _Campaign(ids.WELCOME_CAMPAIGN, "新人券", "coupon", None, first_day=0, last_day=None)


def _advertising(history: History) -> Iterator[_Campaign]:
    """Yield the campaigns on platforms that have begun."""
    for advert in ADVERTISING:
        if advert.first_day < history.days:
            last_day = advert.first_day + advert.days - 1
            yield _Campaign(advert.campaign_id, advert.name, "ad", advert.channel, advert.first_day, last_day)


def _promotions(scenario: Scenario) -> Iterator[_Campaign]:
    """Yield a campaign for each category and week of promotion."""
    for category, week in np.argwhere(scenario.catalogue.promoted).tolist():
        name, first_day = CATEGORIES[category], week * DAYS_A_WEEK
        campaign_id = ids.promotion(name, week)
        title = f"{name} promotion, week {week}"
        yield _Campaign(campaign_id, title, "promotion", None, first_day, first_day + DAYS_A_WEEK - 1)


def _date(history: History, day: int | None) -> str | None:
    return None if day is None else history.date(day).isoformat()
