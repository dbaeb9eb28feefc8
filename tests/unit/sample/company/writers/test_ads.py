"""What campaigns cost, and the leads that their platforms list."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lakehouse.sample.company.policy import AdvertisingPolicy
from lakehouse.sample.company.world.chunk import Chunk
from lakehouse.sample.company.world.scenario import ADVERTISING, Scenario
from lakehouse.sample.company.writers import ads


@pytest.mark.parametrize(("platform", "channel"), ads.PLATFORMS.items())
def test_a_platform_lists_the_leads_of_its_campaigns(chunk: Chunk, platform: str, channel: str) -> None:
    """Whichever office has them now."""
    adverts = set(ads.leads_of(chunk, platform).array("leads", "advert"))
    assert adverts
    assert {ADVERTISING[number].channel for number in adverts} == {channel}


def test_google_sends_a_message_a_lead(exports: Any) -> None:
    """As its webhook has them: JSON with the phone's prefix."""
    for line in exports["google/leads"]["line"]:
        message = json.loads(line)
        values = {value["column_id"]: value["string_value"] for value in message["user_column_data"]}
        assert re.fullmatch(r"\+861\d{10}", values["PHONE_NUMBER"])
        assert message["lead_source"] == "generated sample"


def test_each_campaign_costs_money_on_each_of_its_days(scenario: Scenario) -> None:
    """As far as history goes; impressions follow clicks, clicks follow cost."""
    (export,) = ads.of_company(scenario)
    spend = export.rows.to_pydict()
    days = list(zip(spend["campaign_id"], spend["day"], strict=True))
    assert len(set(days)) == len(days)
    assert max(spend["day"]) <= scenario.history.until.isoformat()
    clicks, cost = sum(map(int, spend["clicks"])), sum(map(float, spend["cost"]))
    assert cost * 100 / clicks == pytest.approx(AdvertisingPolicy.fen_a_click, rel=0.02)
