"""What is the same for all customers."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from lakehouse.sample.company.policy import Plants
from lakehouse.sample.company.world.places import CITIES
from lakehouse.sample.company.world.scenario import ADVERTISING, Advertising, Scenario, make_scenario


def test_weather_covers_all_weeks_of_every_city(scenario: Scenario) -> None:
    """It rains as often as in each city, and only then is there rain to measure."""
    shape = (len(CITIES), scenario.history.weeks * 7)
    assert scenario.rain.shape == scenario.millimetres.shape == scenario.degrees.shape == shape
    assert np.array_equal(scenario.rain, scenario.millimetres > 0)
    assert scenario.rain.mean(axis=1) == pytest.approx([city.rain for city in CITIES], abs=0.08)


def test_winter_is_colder_than_summer(scenario: Scenario) -> None:
    """January lies below July in every city."""
    months = np.array([scenario.history.date(day).month for day in range(scenario.degrees.shape[1])])
    winter, summer = (scenario.degrees[:, months == month].mean(axis=1) for month in (1, 7))
    assert (summer - winter > 15).all()


def test_only_the_number_of_customers_depends_on_the_size(scenario: Scenario) -> None:
    """All else of a larger company is the same."""
    larger = make_scenario(7, 10_000, dt.date(2026, 6, 30), Plants())
    for field in dataclasses.fields(Scenario):
        small, large = getattr(scenario, field.name), getattr(larger, field.name)
        if isinstance(small, np.ndarray):
            assert np.array_equal(small, large), field.name
        elif field.name == "catalogue":
            assert np.array_equal(small.prices, large.prices)
        elif field.name != "customers":
            assert small == large


@pytest.mark.parametrize(("day", "runs"), [(84, False), (85, True), (204, True), (205, False)])
def test_a_campaign_runs_on_its_days(day: int, runs: bool) -> None:
    """From its first day on, for as many days as it has."""
    advert: Advertising = ADVERTISING[1]
    assert advert.runs_on(np.array([day])).tolist() == [runs]
