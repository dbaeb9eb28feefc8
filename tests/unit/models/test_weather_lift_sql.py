"""Neither a rainy city nor a rainy season passes for rain."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.model_cases import Row, answer

RAINY, DRY = 1, 2  # days of a month


@pytest.mark.parametrize(
    ("second_city", "second_month"), [("Harbin", 1), ("Wuhan", 2)], ids=["another city", "another month"]
)
def test_where_and_when_are_no_weather(second_city, second_month):
    """Chocolate is two thirds of what is sold at a rainy place or time and one third elsewhere, rain or not."""
    sold = [
        *_sold("Wuhan", date(2026, 1, RAINY), chocolate=8, tea=4),
        *_sold("Wuhan", date(2026, 1, DRY), chocolate=2, tea=1),
        *_sold(second_city, date(2026, second_month, RAINY), chocolate=1, tea=2),
        *_sold(second_city, date(2026, second_month, DRY), chocolate=4, tea=8),
    ]
    lines, orders = [], []
    for number, (city, day, category) in enumerate(sold):
        named = {"source": "shop", "order_id": str(number)}
        lines.append(
            named | {"line_id": "a", "entry": "sale", "day": day, "category": category, "is_order": True}
        )
        orders.append(named | {"city": city})
    rows = answer(
        "marts.weather_lift",
        core__sales_ledger=lines,
        core__orders=orders,
        core__places=[_area("Wuhan"), _area("Harbin")],
        core__weather=[
            _weather(city, date(2026, month, day))
            for city in ("Wuhan", "Harbin")
            for month in (1, 2)
            for day in (RAINY, DRY)
        ],
    )
    [chocolate] = [row for row in rows if row["category"] == "chocolate"]
    crude = (9 / 6) / (6 / 9)
    assert crude > 2
    assert chocolate["lift"] == pytest.approx(0)
    assert chocolate["low"] < -0.5 < 0.5 < chocolate["high"]


def _sold(city: str, day: date, **categories: int) -> list[tuple[str, date, str]]:
    return [(city, day, category) for category, orders in categories.items() for _ in range(orders)]


def _area(city: str) -> Row:
    return {"source": "places", "place_id": city, "city": city, "kind": "area"}


def _weather(city: str, day: date) -> Row:
    return {
        "source": "weather",
        "place_id": city,
        "day": day,
        "precipitation_mm": 3.5 if day.day == RAINY else 0,
    }
