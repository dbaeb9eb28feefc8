"""Cities and the shops in them."""

from __future__ import annotations

import pytest

from lakehouse.sample.company.world.places import CITIES, STORE_IDS, STORES, STORES_A_CITY


def test_every_city_has_a_shop_in_each_district() -> None:
    """Shop `3 * city + n` is the city's n-th, close to the city, with an id of its own."""
    assert len(set(STORE_IDS)) == len(STORES) == STORES_A_CITY * len(CITIES)
    for number, store in enumerate(STORES):
        city = CITIES[number // STORES_A_CITY]
        assert store.city == number // STORES_A_CITY
        assert store.district == city.districts[number % STORES_A_CITY]
        assert store.name == f"{city.name}{store.district}店"
        assert abs(store.latitude - city.latitude) < 0.1
        assert abs(store.longitude - city.longitude) < 0.1


def test_cities_share_all_customers() -> None:
    """Weights are shares; codes are those of ISO 3166-2."""
    assert sum(city.weight for city in CITIES) == pytest.approx(1)
    assert all(city.province_code.startswith("CN-") and len(city.province_code) == 5 for city in CITIES)
