"""Advertising platforms' exports: spend by campaign and day, and the leads their forms brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import AdvertisingPolicy
from lakehouse.sample.company.random_arrays import random_stream
from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.contacts import NO_ADVERT
from lakehouse.sample.company.world.scenario import ADVERTISING
from lakehouse.sample.company.writers import ids
from lakehouse.sample.company.writers import shared_columns as shared
from lakehouse.sample.company.writers.export import GENERATED, LINES, PACKED, DirtyExport, Export
from lakehouse.sample.company.writers.system_records import records_of
from lakehouse.sample.purchases.names import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.world.scenario import Scenario
    from lakehouse.sample.company.writers.system_records import SystemRecords

PLATFORMS = {"douyin": "douyin", "wechat": "wechat", "google": "search"}  # source: channel
_CAMPAIGN_IDS = [advert.campaign_id for advert in ADVERTISING]
_CAMPAIGNS = [advert.name for advert in ADVERTISING]
_CHANNELS = [advert.channel for advert in ADVERTISING]


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the leads that came by a campaign, as its platform lists them."""
    yield _lead_list(chunk, "douyin", "线索ID 姓名 电话 线索创建时间 计划ID 计划名 城市 备注")
    yield _lead_list(chunk, "wechat", "线索ID 姓名 电话 线索提交时间 推广计划ID 推广计划名称 城市 备注")
    yield _webhook_messages(chunk, "google")


def leads_of(chunk: Chunk, platform: str) -> SystemRecords:
    """Return the leads that the campaigns on a platform brought, whichever office has them now."""
    of_all_offices = records_of(chunk, *chunk.scenario.crms)
    advert = of_all_offices.array("leads", "advert")
    on_platform = np.array(_CHANNELS)[advert] == PLATFORMS[platform]
    return of_all_offices.filtered("leads", (advert != NO_ADVERT) & on_platform)


def _lead_list(chunk: Chunk, platform: str, header: str) -> Export:
    """Return leads as a platform's lead manager exports them, in China's time."""
    records, dirty = leads_of(chunk, platform), DirtyExport(chunk, f"{platform}/leads")
    lead, name, phone, moment, campaign_id, campaign, city, remark = words(header)
    advert = records.array("leads", "advert")
    columns = {
        lead: ids.advertising(records.column("leads", "lead_id")),
        campaign_id: text.pick(_CAMPAIGN_IDS, advert),
        campaign: text.pick(_CAMPAIGNS, advert),
        name: shared.full_names(records, "leads"),
        phone: dirty.phones(phone, records.person_column("leads", "phone")),
        city: shared.city_names(records, "leads"),
        moment: dirty.local_moments(moment, records.array("leads", "created_at")),
        remark: pa.repeat(GENERATED, len(advert)),
    }
    return dirty.build(columns, records.array("leads", "person"))


def _webhook_messages(chunk: Chunk, platform: str) -> Export:
    """Return leads as Google's webhook sends them, a message a line; some are sent twice."""
    records = leads_of(chunk, platform)
    lines = text.joined(
        '{"lead_id":"',
        ids.advertising(records.column("leads", "lead_id")),
        '","user_column_data":[{"column_id":"FULL_NAME","string_value":"',
        shared.full_names(records, "leads"),
        '"},{"column_id":"PHONE_NUMBER","string_value":"+86',
        records.person_column("leads", "phone"),
        '"},{"column_id":"CITY","string_value":"',
        shared.city_names(records, "leads"),
        '"}],"api_version":"1.0","form_id":1,"campaign_id":"',
        text.pick(_CAMPAIGN_IDS, records.array("leads", "advert")),
        '","is_test":false,"lead_submit_time":"',
        text.utc_iso(records.array("leads", "created_at")),
        f'","lead_source":"{GENERATED}"}}\n',
    )
    dirty = DirtyExport(chunk, f"{platform}/leads")
    return dirty.build({LINES: lines}, records.array("leads", "person"), PACKED)


def of_company(scenario: Scenario) -> Iterator[Export]:
    """Yield what each campaign cost on each of its days; budgets grow with the company."""
    rng = random_stream(scenario.seed, "spend")
    running_days = [np.arange(advert.first_day, advert.first_day + advert.days) for advert in ADVERTISING]
    day = np.concatenate(running_days)
    advert = np.repeat(np.arange(len(ADVERTISING)), [len(days) for days in running_days])
    budget_a_thousand = np.array([advert.budget for advert in ADVERTISING])[advert]
    budget = budget_a_thousand * max(scenario.customers / 1000, 1)
    spent = np.rint(budget * rng.uniform(0.7, 1.1, len(day))).astype(np.int64)
    usual_clicks = spent / AdvertisingPolicy.fen_a_click
    clicks = rng.poisson(usual_clicks)
    impressions = clicks * AdvertisingPolicy.shown_a_click + rng.poisson(usual_clicks * 5)
    columns = {
        "day": text.days(scenario.history.zero + day * DAY),
        "campaign_id": text.pick(_CAMPAIGN_IDS, advert),
        "campaign": text.pick(_CAMPAIGNS, advert),
        "channel": text.pick(_CHANNELS, advert),
        "cost": text.money(spent),
        "currency": pa.repeat("CNY", len(day)),
        "impressions": text.integers(impressions),
        "clicks": text.integers(clicks),
        "source": pa.repeat(GENERATED, len(day)),
    }
    yield Export("ads/spend", pa.table(columns).filter(pa.array(day < scenario.history.days)))
