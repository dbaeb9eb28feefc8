"""A company whose shop may say which currencies it takes, and changes its mind: what is bad today is good tomorrow."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.books import balance
from lakehouse.ingest.quarantine.open_rows import QuarantineFilter
from lakehouse.landing.raw_files import RawFile
from lakehouse.sources import definition
from lakehouse.stages.replay import Tally, replay_quarantine
from lakehouse.stages.status import status
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.maintenance.expire import expire
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from tests.support.small_company import SHOP, SmallCompany, forget

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from lakehouse.settings import Settings

ALL = QuarantineFilter()
COUNTS = ("received", "loaded", "duplicates", "quarantined")


@dataclass
class Shop:
    """The works of a company, and its folder of definitions."""

    company: SmallCompany
    folder: Path

    def takes(self, *currencies: str, source: str = "shop") -> None:
        """Define that orders in all other currencies are bad; no currency, and every order is good."""
        text = (files("lakehouse.sources") / "definitions/shop_orders.yaml").read_text("utf-8")
        text = text.replace("source: shop\n", f"source: {source}\n")
        if currencies:
            listed = ", ".join(currencies)
            text = text.replace('doc: "ISO 4217"}', f'allowed: [{listed}], doc: "ISO 4217"}}')
        (self.folder / f"{source}_orders.yaml").write_text(text, "utf-8")
        definition.load.cache_clear()

    def land(self, name: str, *orders: str, source: str = "shop") -> RawFile:
        """Land an export; each order is its number and its currency."""
        lines = [SHOP]
        for order in orders:
            number, currency = order.split()
            lines.append(f"{number},C1,2026-01-05,1,1.00,{currency},web")
        return self.company.land(f"{source}/orders", name, "\n".join(lines) + "\n")

    def replay(self, criteria: QuarantineFilter = ALL, **how: Any) -> Tally:
        return replay_quarantine(self.company.settings, criteria, **how)

    def orders(self, table: str = "raw.shop_orders") -> list[str]:
        """Return the numbers of the orders in the table, those that are there twice twice."""
        if table not in catalogs.table_names(catalogs.open_catalog(self.company.settings)):
            return []
        return [row[0] for row in self.company.ask(f"select order_id from {table} order by 1")]

    def counts(self) -> tuple[int, ...]:
        """Return what `status` counts, once it has found the books to balance."""
        found = status(self.company.settings)["ingest"]
        assert found["balanced"], self.unbalanced()
        return tuple(found[name] for name in COUNTS)

    def unbalanced(self) -> tuple[str, ...]:
        catalog = catalogs.open_catalog(self.company.settings)
        names = catalogs.table_names(catalog)
        tables = {name: catalog.load_table(name) for name in names}
        return balance.ingested(self.company.settings, tables).unbalanced


def expire_all(settings: Settings, name: str) -> int:
    """Expire all snapshots of a table that may go but for the last; return how many went."""
    catalog = catalogs.open_catalog(settings)
    later = datetime.now(UTC) + timedelta(hours=2)
    policy = MaintenancePolicy(min_snapshots_to_keep=1, max_snapshot_age=timedelta(0))
    return expire(catalog, catalog.load_table(name), policy, now=later).snapshots


@contextmanager
def a_shop(company: SmallCompany, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Shop]:
    """Give a test a shop that takes USD only, at first."""
    (folder / "sources").mkdir(parents=True)
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(folder))
    forget()
    shop = Shop(company, folder / "sources")
    shop.takes("USD")
    yield shop
    definition.load.cache_clear()
