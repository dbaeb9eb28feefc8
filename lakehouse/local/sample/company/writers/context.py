"""What surrounds the company: weather by city and day, the calendar, and where its shops are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lakehouse.local.sample.company import text
from lakehouse.local.sample.company.world.days import holiday, is_workday
from lakehouse.local.sample.company.world.places import CITIES, STORES_A_CITY, stores
from lakehouse.local.sample.company.writers.export import GENERATED, Export
from lakehouse.local.sample.names import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakehouse.local.sample.company.world.frame import Frame


def of_company(frame: Frame) -> Iterator[Export]:
    """Yield weather (generated), calendar (China's public holidays) and places."""
    yield _weather(frame)
    yield _calendar(frame)
    yield _places()


def _weather(frame: Frame) -> Export:
    days = frame.history.days
    city, day = (axis.ravel() for axis in np.indices((len(CITIES), days)))
    rain, degrees = frame.millimetres[city, day], frame.degrees[city, day]
    tenths, cold = np.rint(np.abs(degrees) * 10).astype(np.int64), degrees < 0
    drops = np.rint(rain * 10).astype(np.int64)
    columns = {
        "day": text.days(frame.history.zero + day * text.DAY),
        "city": text.pick([place.name for place in CITIES], city),
        "rain": text.pick(("no", "yes"), frame.rain[city, day].astype(np.int64)),
        "rain_mm": text.joined(text.plain(drops // 10), ".", text.plain(drops % 10)),
        "temperature_c": text.joined(
            text.pick(("", "-"), (cold & (tenths > 0)).astype(np.int64)),
            text.plain(tenths // 10),
            ".",
            text.plain(tenths % 10),
        ),
        "source": pa.repeat(GENERATED, len(city)),
    }
    return Export("context/weather", pa.table(columns))


def _calendar(frame: Frame) -> Export:
    days = [frame.history.date(day) for day in range(frame.history.days)]
    rows = [
        (day.isoformat(), str(day.isoweekday()), holiday(day), "yes" if is_workday(day) else "no")
        for day in days
    ]
    return Export("context/calendar", _table("day weekday holiday workday", rows))


def _places() -> Export:
    """Shops, with their city and its codes."""
    rows = []
    for number, store in enumerate(stores()):
        city = CITIES[number // STORES_A_CITY]
        place = (
            store.store_id,
            store.name,
            city.name,
            city.latin,
            city.code,
            city.province,
            city.province_code,
        )
        at = (store.district, f"{store.latitude:.3f}", f"{store.longitude:.3f}", GENERATED)
        rows.append((*place, *at))
    header = (
        "store_id name city city_latin city_code province province_code district latitude longitude source"
    )
    return Export("context/places", _table(header, rows))


def _table(header: str, rows: Sequence[tuple[str | None, ...]]) -> pa.Table:
    columns = zip(words(header), zip(*rows, strict=True), strict=True)
    return pa.table({name: pa.array(told, pa.string()) for name, told in columns})
