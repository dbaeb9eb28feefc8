"""Whatever the order of ingest, replay, books, rebuild and expiry: the sums are right, and each row is there once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from lakehouse.ingest.batch import ingest
from lakehouse.stages.books import keep_books, rebuild_books
from lakehouse.tables import catalog as catalogs
from tests.support import small_company
from tests.support.replays import Shop, a_shop, expire_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.landing.raw_files import RawFile

CURRENCIES = ("USD", "EUR", "CHF", "NOK")
STEPS = 14


@pytest.fixture
def shop(lake, monkeypatch, tmp_path) -> Iterator[Shop]:
    with (
        small_company.company(monkeypatch, tmp_path) as company,
        a_shop(company, monkeypatch, tmp_path / "definitions") as made,
    ):
        yield made


@dataclass
class Model:
    """What should be there, as plain sets."""

    shop: Shop
    random: random.Random
    taken: set[str] = field(default_factory=lambda: {"USD"})
    files: dict[str, tuple[RawFile, list[str]]] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

    def land(self) -> None:
        name = f"{len(self.files)}.csv"
        orders = [f"{name}-{n} {self.random.choice(CURRENCIES)}" for n in range(self.random.randint(1, 4))]
        self.files[name] = (self.shop.land(name, *orders), orders)

    def ingest(self) -> None:
        """Some files, among them some that were loaded before."""
        names = self.random.sample(sorted(self.files), self.random.randint(0, len(self.files)))
        assert not ingest(self.shop.company.settings, [self.files[name][0] for name in names]).failed
        for name in set(names) - self.known:
            self._try(self.files[name][1])
        self.known |= set(names)

    def replay(self) -> None:
        before = len(self.loaded)
        self._try([order for name in self.known for order in self.files[name][1]])
        assert self.shop.replay().loaded == len(self.loaded) - before

    def mend(self) -> None:
        """Also to the worse: what is loaded stays."""
        self.taken = set(self.random.sample(CURRENCIES, self.random.randint(1, 4)))
        self.shop.takes(*sorted(self.taken))

    def books(self) -> None:
        keep_books(self.shop.company.settings)

    def rebuild(self) -> None:
        rebuild_books(self.shop.company.settings)

    def expire(self) -> None:
        catalog = catalogs.open_catalog(self.shop.company.settings)
        for name in catalogs.table_names(catalog):
            expire_all(self.shop.company.settings, name)

    def _try(self, orders: list[str]) -> None:
        self.loaded |= {order.split()[0] for order in orders if order.split()[1] in self.taken}

    def expected(self) -> tuple[list[str], tuple[int, int, int, int]]:
        """Return the orders that the table holds, and what `status` counts."""
        received = sum(len(self.files[name][1]) for name in self.known)
        return sorted(self.loaded), (received, len(self.loaded), 0, received - len(self.loaded))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_order_keeps_the_sums(shop, seed):
    """After each step the table holds what a plain set holds, and `status` counts it."""
    model = Model(shop, random.Random(seed))
    model.land()
    steps = (
        model.land, model.ingest, model.ingest, model.replay, model.replay, model.mend, model.mend, model.books,
        model.expire, model.rebuild,
    )  # fmt: skip
    for _ in range(STEPS):
        step = model.random.choice(steps)
        step()
        assert (shop.orders(), shop.counts()) == model.expected()
    shop.takes()
    model.taken = set(CURRENCIES)
    model.replay()
    assert (shop.orders(), shop.counts()) == model.expected()
    assert len(model.loaded) == sum(len(model.files[name][1]) for name in model.known)
