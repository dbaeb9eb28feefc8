"""Advertising platforms' exports: spend by campaign and day, and the leads their forms brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.random_arrays import random_stream
from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.scenario import ADVERTISING
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers.export import GENERATED, LINES, PACKED, Dirt, Export
from lakehouse.sample.company.writers.system_records import SystemRecords, full_names, records_of
from lakehouse.sample.purchases.names import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.world.scenario import Scenario

_IDS, _CAMPAIGNS = [advert.campaign_id for advert in ADVERTISING], [advert.name for advert in ADVERTISING]
_CHANNELS = [advert.channel for advert in ADVERTISING]
_CITIES = [city.name for city in CITIES]
_FEN_A_CLICK, _SHOWN_A_CLICK = 130, 45


PLATFORMS = {"douyin": "douyin", "wechat": "wechat", "google": "search"}  # source: channel


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the leads that came by a campaign, as its platform lists them."""
    yield _listed(chunk, "douyin", "线索ID 姓名 电话 线索创建时间 计划ID 计划名 城市 备注")
    yield _listed(chunk, "wechat", "线索ID 姓名 电话 线索提交时间 推广计划ID 推广计划名称 城市 备注")
    yield _sent(chunk, "google")


def leads_of(chunk: Chunk, platform: str) -> SystemRecords:
    """Return the leads that the campaigns on a platform brought, whichever office has them now."""
    whole = records_of(chunk, *chunk.scenario.crms)
    advert = whole.array("leads", "advert")
    return whole.filtered("leads", (advert >= 0) & (np.array(_CHANNELS)[advert] == PLATFORMS[platform]))


def _listed(chunk: Chunk, platform: str, header: str) -> Export:
    """Return leads as a platform's lead manager exports them, in China's time."""
    records, dirt = leads_of(chunk, platform), Dirt(chunk, f"{platform}/leads")
    lead, name, phone, at, campaign_id, campaign, city, remark = words(header)
    advert, row = records.array("leads", "advert"), records.array("leads", "row")
    columns = {
        lead: ids.advertising(records.column("leads", "lead_id")),
        campaign_id: text.pick(_IDS, advert),
        campaign: text.pick(_CAMPAIGNS, advert),
        name: full_names(records, "leads"),
        phone: dirt.phones(phone, records.person_column("leads", "phone")),
        city: text.pick(_CITIES, chunk.array("persons", "city")[row]),
        at: dirt.local_moments(at, records.array("leads", "created_at")),
        remark: pa.repeat(GENERATED, len(row)),
    }
    return dirt.export(columns, records.array("leads", "person"))


def _sent(chunk: Chunk, platform: str) -> Export:
    """Return leads as Google's webhook sends them, a message a line; some are sent twice."""
    records = leads_of(chunk, platform)
    city = text.pick(_CITIES, chunk.array("persons", "city")[records.array("leads", "row")])
    lines = text.joined(
        '{"lead_id":"',
        ids.advertising(records.column("leads", "lead_id")),
        '","user_column_data":[{"column_id":"FULL_NAME","string_value":"',
        full_names(records, "leads"),
        '"},{"column_id":"PHONE_NUMBER","string_value":"+86',
        records.person_column("leads", "phone"),
        '"},{"column_id":"CITY","string_value":"',
        city,
        '"}],"api_version":"1.0","form_id":1,"campaign_id":"',
        text.pick(_IDS, records.array("leads", "advert")),
        '","is_test":false,"lead_submit_time":"',
        text.utc_iso(records.array("leads", "created_at")),
        f'","lead_source":"{GENERATED}"}}\n',
    )
    return Dirt(chunk, f"{platform}/leads").export({LINES: lines}, records.array("leads", "person"), PACKED)


def of_company(scenario: Scenario) -> Iterator[Export]:
    """Yield what each campaign cost on each of its days; budgets grow with the company."""
    rng = random_stream(scenario.seed, "spend")
    days = np.concatenate(
        [np.arange(advert.first_day, advert.first_day + advert.days) for advert in ADVERTISING]
    )
    advert = np.repeat(np.arange(len(ADVERTISING)), [advert.days for advert in ADVERTISING])
    budget = np.array([advert.budget for advert in ADVERTISING])[advert] * max(scenario.customers / 1000, 1)
    spent = np.rint(budget * rng.uniform(0.7, 1.1, len(days))).astype(np.int64)
    clicks = rng.poisson(spent / _FEN_A_CLICK)
    shown = clicks * _SHOWN_A_CLICK + rng.poisson(spent / _FEN_A_CLICK * 5)
    told = days < scenario.history.days
    columns = {
        "day": text.days(scenario.history.zero + days * DAY),
        "campaign_id": text.pick(_IDS, advert),
        "campaign": text.pick(_CAMPAIGNS, advert),
        "channel": text.pick(_CHANNELS, advert),
        "cost": text.money(spent),
        "currency": pa.repeat("CNY", len(days)),
        "impressions": text.integers(shown),
        "clicks": text.integers(clicks),
        "source": pa.repeat(GENERATED, len(days)),
    }
    yield Export("ads/spend", pa.table(columns).filter(pa.array(told)))
