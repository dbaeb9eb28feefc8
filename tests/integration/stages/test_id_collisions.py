"""Two shops by one definition lose orders, and a warning says so; by two definitions both are there."""

from __future__ import annotations

import pytest

from lakehouse.models import runner
from lakehouse.sources import definition
from lakehouse.stages.copy_source import copy_source
from lakehouse.stages.id_collisions import find_collisions
from lakehouse.stages.resolve import resolve
from tests.support.small_company import forget

HEADER = (
    "Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price"
)
# as reported: #3001 of two shops, in one month
EU = f"{HEADER}\n#3001,cat@case30.net,paid,USD,30.00,2026-11-12 10:00:00 +0000,1,Mug,30.00\n"
US = f"{HEADER}\n#3001,dan@case30.net,paid,USD,60.00,2026-11-12 10:00:00 +0000,1,Mug,60.00\n"


@pytest.fixture
def shops(company, monkeypatch, tmp_path):
    """A company with a folder of definitions, in which a second Shopify shop is defined."""
    (tmp_path / "definitions" / "sources").mkdir(parents=True)
    for name, text in copy_source(company.settings, "shopify", "shopify_us").texts.items():
        (tmp_path / "definitions" / "sources" / name).write_text(text, "utf-8")
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
    forget()
    yield company
    definition.load.cache_clear()


def orders(company):
    resolve(company.settings)
    runner.run(company.settings)
    return company.ask(
        "SELECT order_id, o.amount::VARCHAR, email FROM core.orders AS o "
        "JOIN core.customers USING (customer_id) ORDER BY ALL"
    )


def test_two_shops_in_one_source_are_told(shops):
    """The second's order is taken for a later version of the first's."""
    shops.load("shopify/orders", "eu.csv", EU)
    assert find_collisions(shops.settings) == []
    shops.load("shopify/orders", "us.csv", US)
    assert orders(shops) == [("#3001", "60.00", "dan@case30.net")]
    (warning,) = find_collisions(shops.settings)
    assert (warning.file, warning.field) == ("shopify/orders", "key")
    assert warning.message.startswith("of 1 ids that came twice 1 are of people with nothing in common")
    assert "`lakehouse sources copy shopify shopify_2`" in warning.message


def test_two_shops_by_two_definitions(shops):
    """Each has its order, and the customers of both are two people."""
    shops.load("shopify/orders", "eu.csv", EU)
    shops.load("shopify_us/orders", "us.csv", US)
    assert orders(shops) == [("#3001", "30.00", "cat@case30.net"), ("#3001", "60.00", "dan@case30.net")]
    assert find_collisions(shops.settings) == []


def test_two_sources_that_share_a_type_and_no_people(company):
    """The site's user 42 is not the shop's customer 42; those of a third agree."""
    lines = [
        f'{{"messageId":"m{n}","type":"identify","userId":"{n}","timestamp":"2026-01-01T00:00:00Z",'
        f'"traits":{{"email":"site{n}@x.de"}}}}'
        for n in (41, 42, 43)
    ]
    company.load("web/events", "1.ndjson", "\n".join(lines) + "\n")
    company.contacts("1.csv", "1,Ann,site41@x.de,41,Yes,2026-01-01", "2,Ben,site42@x.de,42,Yes,2026-01-01")
    company.load("shop/customers", "1.csv", "customer_id,email,phone\n42,ben@y.de,\n43,cy@y.de,\n")
    resolve(company.settings)
    (warning,) = find_collisions(company.settings)
    assert (warning.file, warning.field) == ("shop/customers", "identifiers.user_id")
    assert "of 2 ids that came twice 2 are of people with nothing in common" in warning.message
    assert "does shop/customers share its user_id with web/events?" in warning.message
