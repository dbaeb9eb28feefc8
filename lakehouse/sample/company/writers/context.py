"""What surrounds the company: weather by city and day, the calendar, and where its shops are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.random_arrays import random_stream
from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.days import holiday, is_workday
from lakehouse.sample.company.world.places import CITIES, STORES, City
from lakehouse.sample.company.writers.export import GENERATED, Export
from lakehouse.sample.purchases.names import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakehouse.sample.company.random_arrays import Floats
    from lakehouse.sample.company.world.scenario import Scenario

_ISO_FRIDAY: Final = 5
_PEG_ENDS = dt.date(2005, 7, 21)
_PEGGED_RATE: Final = 8.28
_HALF_DAILY_RANGE: Final = 4.0  # °C
_TENTHS_OF_FEN: Final = 10_000  # of a yuan


def of_company(scenario: Scenario) -> Iterator[Export]:
    """Yield weather and rates (generated), China's public holidays, and places: cities and the shops in them."""
    yield _weather(scenario)
    special_days = _special_days(scenario)
    if special_days:
        yield Export("calendar/days", _table("region_code day kind name is_working_day", special_days))
    yield _cities_and_stores()
    yield _rates(scenario)


def _weather(scenario: Scenario) -> Export:
    city, day = (axis.ravel() for axis in np.indices((len(CITIES), scenario.history.days)))
    degrees = scenario.degrees[city, day]
    columns = {
        "place_id": text.pick([place.code for place in CITIES], city),
        "day": text.days(scenario.history.zero + day * DAY),
        "temperature_max_c": _tenths(degrees + _HALF_DAILY_RANGE),
        "temperature_min_c": _tenths(degrees - _HALF_DAILY_RANGE),
        "precipitation_mm": _tenths(scenario.millimetres[city, day]),
        "condition": text.either(scenario.rain[city, day], "rain", "dry"),
        "source": pa.repeat(GENERATED, len(city)),
    }
    return Export("weather/daily", pa.table(columns))


def _tenths(values: Floats) -> pa.Array:
    """Return numbers with one decimal."""
    tenths = np.rint(np.abs(values) * 10).astype(np.int64)
    sign = text.either((values < 0) & (tenths > 0), "-", "")
    return text.joined(sign, text.integers(tenths // 10), ".", text.integers(tenths % 10))


def _special_days(scenario: Scenario) -> list[tuple[str, ...]]:
    """Return the days that are no ordinary ones: holidays, and weekends that are worked for them, since 2024."""
    rows: list[tuple[str, ...]] = []
    for number in range(scenario.history.days):
        day = scenario.history.date(number)
        holiday_name = holiday(day)
        is_weekend = day.isoweekday() > _ISO_FRIDAY
        if holiday_name:
            rows.append(("CN", day.isoformat(), "holiday", holiday_name, "no"))
        elif is_weekend and is_workday(day):
            rows.append(("CN", day.isoformat(), "workday", "调休", "yes"))
    return rows


def _rates(scenario: Scenario) -> Export:
    """Return what a dollar cost: 8.28 yuan while China held it there (1997 to July 2005), a walk around 7 since."""
    days = scenario.history.days + 1  # from the day before: midnight in China is the evening before in UTC
    walk = 7.0 + np.cumsum(random_stream(scenario.seed, "rates").normal(0, 0.005, days))
    is_pegged = scenario.history.until < _PEG_ENDS
    yuan = np.full(days, _PEGGED_RATE) if is_pegged else walk
    tenths_of_fen = np.rint(yuan * _TENTHS_OF_FEN).astype(np.int64)
    decimals = text.digits(tenths_of_fen % _TENTHS_OF_FEN, 4)
    columns = {
        "day": text.days(scenario.history.zero + np.arange(-1, days - 1) * DAY),
        "currency": pa.repeat("USD", days),
        "quote": pa.repeat("CNY", days),
        "rate": text.joined(text.integers(tenths_of_fen // _TENTHS_OF_FEN), ".", decimals),
        "source": pa.repeat(GENERATED, days),
    }
    return Export("rates/daily", pa.table(columns))


def _cities_and_stores() -> Export:
    """Cities and shops; a place's weather is that of its city."""
    rows = [_place_row(city.code, city.name, "area", city, city.latitude, city.longitude) for city in CITIES]
    for store in STORES:
        city = CITIES[store.city]
        rows.append(_place_row(store.store_id, store.name, "store", city, store.latitude, store.longitude))
    header = "place_id name kind city region_code country_code latitude longitude time_zone source"
    return Export("places/stores", _table(header, rows))


def _place_row(
    place_id: str, name: str, kind: str, city: City, latitude: float, longitude: float
) -> tuple[str, ...]:
    position = (f"{latitude:.3f}", f"{longitude:.3f}")
    region = (city.province_code, "CN")
    return (place_id, name, kind, city.name, *region, *position, "Asia/Shanghai", GENERATED)


def _table(header: str, rows: Sequence[tuple[str, ...]]) -> pa.Table:
    columns = zip(words(header), zip(*rows, strict=True), strict=True)
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns})
