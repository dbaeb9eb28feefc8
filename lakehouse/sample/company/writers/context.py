"""What surrounds the company: weather by city and day, the calendar, and where its shops are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.random_arrays import random_stream
from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.days import holiday, is_workday
from lakehouse.sample.company.world.places import CITIES, STORES_A_CITY, stores
from lakehouse.sample.company.writers.export import GENERATED, Export
from lakehouse.sample.purchases.names import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakehouse.sample.company.random_arrays import Floats
    from lakehouse.sample.company.world.scenario import Scenario

FRIDAY = 5
_PEG_ENDS = dt.date(2005, 7, 21)
_HALF_A_DAYS_SWING = 4.0  # °C


def of_company(scenario: Scenario) -> Iterator[Export]:
    """Yield weather and rates (generated), China's public holidays, and places: cities and the shops in them."""
    yield _weather(scenario)
    if days := _calendar(scenario):
        yield Export("calendar/days", _table("region_code day kind name is_working_day", days))
    yield _places()
    yield _rates(scenario)


def _weather(scenario: Scenario) -> Export:
    days = scenario.history.days
    city, day = (axis.ravel() for axis in np.indices((len(CITIES), days)))
    rain, degrees = scenario.millimetres[city, day], scenario.degrees[city, day]
    columns = {
        "place_id": text.pick([place.code for place in CITIES], city),
        "day": text.days(scenario.history.zero + day * DAY),
        "temperature_max_c": _tenths(degrees + _HALF_A_DAYS_SWING),
        "temperature_min_c": _tenths(degrees - _HALF_A_DAYS_SWING),
        "precipitation_mm": _tenths(rain),
        "condition": text.either(scenario.rain[city, day], "rain", "dry"),
        "source": pa.repeat(GENERATED, len(city)),
    }
    return Export("weather/daily", pa.table(columns))


def _tenths(values: Floats) -> pa.Array:
    tenths = np.rint(np.abs(values) * 10).astype(np.int64)
    sign = text.either((values < 0) & (tenths > 0), "-", "")
    return text.joined(sign, text.integers(tenths // 10), ".", text.integers(tenths % 10))


def _calendar(scenario: Scenario) -> list[tuple[str | None, ...]]:
    """Return the days that are no ordinary ones: holidays, and weekends that are worked for them, since 2024."""
    rows: list[tuple[str | None, ...]] = []
    for number in range(scenario.history.days):
        day = scenario.history.date(number)
        name, works = holiday(day), is_workday(day)
        if name:
            rows.append(("CN", day.isoformat(), "holiday", name, "no"))
        elif works and day.isoweekday() > FRIDAY:
            rows.append(("CN", day.isoformat(), "workday", "调休", "yes"))
    return rows


def _rates(scenario: Scenario) -> Export:
    """Return what a dollar cost: 8.28 yuan while China held it there (1997 to July 2005), a walk around 7 since."""
    days = scenario.history.days + 1  # from the day before: midnight in China is the evening before in UTC
    walk = 7.0 + np.cumsum(random_stream(scenario.seed, "rates").normal(0, 0.005, days))
    if scenario.history.until < _PEG_ENDS:
        walk = np.full(days, 8.28)
    tenths_of_fen = np.rint(walk * 10_000).astype(np.int64)
    columns = {
        "day": text.days(scenario.history.zero + np.arange(-1, days - 1) * DAY),
        "currency": pa.repeat("USD", days),
        "quote": pa.repeat("CNY", days),
        "rate": text.joined(
            text.integers(tenths_of_fen // 10_000),
            ".",
            text.digits(tenths_of_fen % 10_000, 4),
        ),
        "source": pa.repeat(GENERATED, days),
    }
    return Export("rates/daily", pa.table(columns))


def _places() -> Export:
    """Cities and shops; a place's weather is that of its city."""
    rows = [
        (city.code, city.name, "area", city.name, city.province_code, city.latitude, city.longitude)
        for city in CITIES
    ]
    for number, store in enumerate(stores()):
        city = CITIES[number // STORES_A_CITY]
        at = (store.latitude, store.longitude)
        rows.append((store.store_id, store.name, "store", city.name, city.province_code, *at))
    told = [
        (place, name, kind, city, region, "CN", f"{north:.3f}", f"{east:.3f}", "Asia/Shanghai", GENERATED)
        for place, name, kind, city, region, north, east in rows
    ]
    header = "place_id name kind city region_code country_code latitude longitude time_zone source"
    return Export("places/stores", _table(header, told))


def _table(header: str, rows: Sequence[tuple[str | None, ...]]) -> pa.Table:
    columns = zip(words(header), zip(*rows, strict=True), strict=True)
    return pa.table({name: pa.array(told, pa.string()) for name, told in columns})
