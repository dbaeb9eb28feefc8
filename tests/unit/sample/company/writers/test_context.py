"""Weather, calendar, rates and places."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lakehouse.sample.company.policy import Plants
from lakehouse.sample.company.world.places import CITIES, STORES
from lakehouse.sample.company.world.scenario import Scenario, make_scenario
from lakehouse.sample.company.writers.context import of_company


def _exports(scenario: Scenario) -> dict[str, dict[str, Any]]:
    return {export.entity: export.rows.to_pydict() for export in of_company(scenario)}


def test_weather_is_told_for_every_city_and_day(scenario: Scenario) -> None:
    """It rains where there is rain to measure, and days are warmer than nights."""
    weather = _exports(scenario)["weather/daily"]
    assert len(weather["day"]) == len(CITIES) * scenario.history.days
    rain = {
        (text == "0.0", condition)
        for text, condition in zip(weather["precipitation_mm"], weather["condition"], strict=True)
    }
    assert rain == {(True, "dry"), (False, "rain")}
    warmest, coldest = weather["temperature_max_c"], weather["temperature_min_c"]
    assert all(float(day) > float(night) for day, night in zip(warmest, coldest, strict=True))


def test_the_calendar_has_special_days_alone(scenario: Scenario) -> None:
    """Holidays are off, weekends that are worked for them are not."""
    calendar = _exports(scenario)["calendar/days"]
    kinds = set(zip(calendar["kind"], calendar["is_working_day"], strict=True))
    assert kinds == {("holiday", "no"), ("workday", "yes")}
    assert "2026-01-01" in calendar["day"]
    assert len(calendar["day"]) < 100


@pytest.mark.parametrize(
    ("until", "rates"), [(dt.date(2005, 3, 1), {"8.2800"}), (dt.date(2026, 6, 30), None)]
)
def test_a_dollar_cost_the_same_until_2005(until: dt.date, rates: set[str] | None) -> None:
    """8.28 yuan; about 7 since."""
    written_rates = set(_exports(make_scenario(7, 10, until, Plants()))["rates/daily"]["rate"])
    assert written_rates == rates if rates else all(6 < float(rate) < 8 for rate in written_rates)


def test_no_holidays_are_known_before_2024() -> None:
    """Then there is no calendar."""
    assert "calendar/days" not in _exports(make_scenario(7, 10, dt.date(2005, 3, 1), Plants()))


def test_places_are_cities_and_their_shops(scenario: Scenario) -> None:
    """All with their position."""
    places = _exports(scenario)["places/stores"]
    assert places["kind"] == ["area"] * len(CITIES) + ["store"] * len(STORES)
    assert len(set(places["place_id"])) == len(places["place_id"])
    assert set(places["time_zone"]) == {"Asia/Shanghai"}
