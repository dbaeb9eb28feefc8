"""Shop and loyalty programme know the same people; and no canonical entity is without a mapping that ships."""

from __future__ import annotations

from pathlib import Path

from lakehouse.models import runner
from lakehouse.sources import definition
from lakehouse.stages.resolve import resolve
from lakehouse.tables.entities import BY_NAME
from tests.support.small_company import company

SAMPLES = Path(__file__).parents[1] / "samples"


def test_people_are_found_across_shop_and_loyalty(lake, monkeypatch, tmp_path):
    """An order by number, a card by e-mail: one customer."""
    with company(monkeypatch, tmp_path) as lake_company:
        for place in ("shop/customers", "shop/orders", "loyalty/memberships"):
            lake_company.load(place, f"{Path(place).name}.csv", (SAMPLES / f"{place}.csv").read_bytes())
        resolve(lake_company.settings)
        assert runner.run(lake_company.settings).wrong == []
        [(by_number, by_card, unknown)] = lake_company.ask(
            "select (select customer_id from core.orders where order_id = 'O2001'), "
            "(select any_value(customer_id) from core.memberships where membership_id = 'M0001'), "
            "(select count(*) from core.orders where customer_id is null)"
        )
    assert by_number == by_card is not None
    assert unknown == 0


def test_every_entity_has_a_shipped_mapping():
    """An entity that nothing fills would be a promise."""
    mapped = {entity for source in definition.load().values() for entity in source.core}
    assert BY_NAME.keys() - mapped == set()
