"""Advertising platforms' exports: spend by campaign and day, and the leads their forms brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lakehouse.local.sample.company import text
from lakehouse.local.sample.company.arrays import stream
from lakehouse.local.sample.company.world.frame import ADVERTISING
from lakehouse.local.sample.company.world.places import CITIES
from lakehouse.local.sample.company.writers.export import GENERATED, Dirt, Export

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.local.sample.company.world.chunk import Chunk
    from lakehouse.local.sample.company.world.frame import Frame

_IDS, _CAMPAIGNS = [advert.campaign_id for advert in ADVERTISING], [advert.name for advert in ADVERTISING]
_CHANNELS = [advert.channel for advert in ADVERTISING]
_FEN_A_CLICK, _SHOWN_A_CLICK = 130, 45


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the leads that came by a campaign, as its platform lists them."""
    chosen = np.flatnonzero(chunk.of("leads", "advert") >= 0)
    row, advert = chunk.of("leads", "row")[chosen], chunk.of("leads", "advert")[chosen]
    dirt = Dirt(chunk, "ads/leads")
    family, first, second = (
        chunk.texts("persons", part, row) for part in ("family", "given_first", "given_second")
    )
    columns = {
        "platform_lead_id": text.joined("AL", chunk.texts("leads", "lead_id", chosen)),
        "campaign_id": text.pick(_IDS, advert),
        "channel": text.pick(_CHANNELS, advert),
        "name": text.joined(family, first, second),
        "phone": dirt.phones("phone", chunk.texts("persons", "phone", row)),
        "city": text.pick([city.name for city in CITIES], chunk.of("persons", "city")[row]),
        "submitted_at": text.local(chunk.of("leads", "created_at")[chosen]),
        "source": pa.repeat(GENERATED, len(row)),
    }
    yield dirt.export(columns, chunk.of("leads", "person")[chosen])


def of_company(frame: Frame) -> Iterator[Export]:
    """Yield what each campaign cost on each of its days; budgets grow with the company."""
    rng = stream(frame.seed, "spend")
    days = np.concatenate(
        [np.arange(advert.first_day, advert.first_day + advert.days) for advert in ADVERTISING]
    )
    advert = np.repeat(np.arange(len(ADVERTISING)), [advert.days for advert in ADVERTISING])
    budget = np.array([advert.budget for advert in ADVERTISING])[advert] * max(frame.customers / 1000, 1)
    spent = np.rint(budget * rng.uniform(0.7, 1.1, len(days))).astype(np.int64)
    clicks = rng.poisson(spent / _FEN_A_CLICK)
    shown = clicks * _SHOWN_A_CLICK + rng.poisson(spent / _FEN_A_CLICK * 5)
    told = days < frame.history.days
    columns = {
        "day": text.days(frame.history.zero + days * text.DAY),
        "campaign_id": text.pick(_IDS, advert),
        "campaign": text.pick(_CAMPAIGNS, advert),
        "channel": text.pick(_CHANNELS, advert),
        "cost": text.money(spent),
        "currency": pa.repeat("CNY", len(days)),
        "impressions": text.plain(shown),
        "clicks": text.plain(clicks),
        "source": pa.repeat(GENERATED, len(days)),
    }
    yield Export("ads/spend", pa.table(columns).filter(pa.array(told)))
