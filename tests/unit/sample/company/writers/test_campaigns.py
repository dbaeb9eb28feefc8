"""The list of campaigns has all that other exports name."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lakehouse.sample.company import Plants
from lakehouse.sample.company.world.scenario import ADVERTISING, Scenario, make_scenario
from lakehouse.sample.company.writers import ads, campaigns


def listed(scenario: Scenario) -> dict[str, list[str | None]]:
    (export,) = campaigns.of_company(scenario)
    columns: dict[str, list[str | None]] = export.rows.to_pydict()
    return columns


@pytest.mark.parametrize(
    ("entity", "column"),
    [
        ("shop/coupons", "campaign_id"),
        ("shop/orders", "campaign_id"),
        ("douyin/leads", "计划ID"),
        ("wechat/leads", "推广计划ID"),
    ],
)
def test_every_campaign_that_a_record_names_is_listed(
    scenario: Scenario, exports: Any, entity: str, column: str
) -> None:
    """Of coupons, orders and leads."""
    named = set(exports[entity][column]) - {None}
    assert named
    assert named <= set(listed(scenario)["campaign_id"])


def test_every_campaign_that_costs_money_is_listed(scenario: Scenario) -> None:
    """With its name and channel, and over the days on which it cost."""
    (spend,) = ads.of_company(scenario)
    columns = listed(scenario)
    rows = dict(zip(columns["campaign_id"], zip(*columns.values(), strict=True), strict=True))
    for campaign_id, name, channel, day in zip(
        *(spend.rows.column(column).to_pylist() for column in ("campaign_id", "campaign", "channel", "day")),
        strict=True,
    ):
        _, listed_name, kind, listed_channel, starts_on, ends_on, _ = rows[campaign_id]
        assert (listed_name, kind, listed_channel) == (name, "ad", channel)
        assert starts_on <= day <= ends_on


def test_campaigns_are_listed_once_and_those_to_come_not_at_all() -> None:
    """A company whose history ends early has begun all that its history has days for."""
    scenario = make_scenario(7, 500, dt.date(1998, 6, 30), Plants())
    columns = listed(scenario)
    assert len(set(columns["campaign_id"])) == len(columns["campaign_id"]) > len(ADVERTISING)
    assert (
        max(day for day in columns["starts_on"] if day)
        <= scenario.history.date(scenario.history.weeks * 7).isoformat()
    )
    assert [end for end in columns["ends_on"] if end is None] == [None]
