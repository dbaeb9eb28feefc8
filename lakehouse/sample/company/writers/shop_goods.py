"""The shop's exports of its goods: products, every price they had, and stock of the last days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import StockPolicy
from lakehouse.sample.company.random_arrays import random_stream
from lakehouse.sample.company.units import DAY, HOUR
from lakehouse.sample.company.world.catalogue import CATEGORIES, PRODUCTS_A_CATEGORY
from lakehouse.sample.company.world.places import STORE_IDS, STORES_A_CITY
from lakehouse.sample.company.writers.export import GENERATED, Export

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.scenario import Scenario

_CLOSING: Final = 22 * HOUR  # of the day
_PRICES_A_PRODUCT: Final = 2
_FULL_STOCK: Final = 160  # of a product, to which a shop fills up when it has run out


def of_company(scenario: Scenario) -> Iterator[Export]:
    """Yield products, prices and stock."""
    yield _products(scenario)
    yield _prices(scenario)
    yield _stock(scenario)


def _products(scenario: Scenario) -> Export:
    catalogue = scenario.catalogue
    product = np.arange(len(catalogue.names))
    columns = {
        "product_id": text.pick(catalogue.ids, product),
        "name": text.pick(catalogue.names, product),
        "category": text.pick(CATEGORIES, product // PRODUCTS_A_CATEGORY),
        "list_price": text.money(catalogue.prices[product, -1]),
        "currency": pa.repeat("CNY", len(product)),
        "is_active": pa.repeat("yes", len(product)),
        "source": pa.repeat(GENERATED, len(product)),
    }
    return Export("shop/products", pa.table(columns))


def _prices(scenario: Scenario) -> Export:
    """Return two prices a product: that of the beginning, and that from its rise on."""
    catalogue, zero = scenario.catalogue, scenario.history.zero
    products = len(catalogue.names)
    product = np.repeat(np.arange(products), _PRICES_A_PRODUCT)
    version = np.tile(np.arange(_PRICES_A_PRODUCT), products)
    rise = text.local_iso(zero + np.asarray(catalogue.rises, np.int64)[product] * DAY)
    start = text.local_iso(np.full(len(product), zero))
    product_ids = text.pick(catalogue.ids, product)
    columns = {
        "price_id": text.joined(product_ids, "-", text.integers(version + 1)),
        "product_id": product_ids,
        "kind": pa.repeat("list", len(product)),
        "price": text.money(catalogue.prices[product, version]),
        "currency": pa.repeat("CNY", len(product)),
        "priced_from": pc.if_else(pa.array(version == 0), start, rise),
        "priced_to": text.null_where(rise, version == 1),
        "source": pa.repeat(GENERATED, len(product)),
    }
    return Export("shop/prices", pa.table(columns))


def _stock(scenario: Scenario) -> Export:
    """Return stock in the evening of each of the last days: one shop a city, the first product of each category."""
    rng = random_stream(scenario.seed, "stock")
    shape = (StockPolicy.stores, len(CATEGORIES), StockPolicy.days)
    sold = np.cumsum(rng.poisson(4, shape), axis=2)
    level_before = rng.integers(40, _FULL_STOCK, shape[:2])
    level = (level_before[:, :, None] - sold) % _FULL_STOCK
    store, category, day = (axis.ravel() for axis in np.indices(shape))
    evening = (scenario.history.days - StockPolicy.days + day) * DAY + _CLOSING
    columns = {
        "product_id": text.pick(scenario.catalogue.ids, category * PRODUCTS_A_CATEGORY),
        "place_id": text.pick(STORE_IDS, store * STORES_A_CITY),
        "counted_at": text.local_iso(scenario.history.zero + evening),
        "on_hand": text.integers(level.ravel()),
    }
    return Export("shop/stock", pa.table(columns))
