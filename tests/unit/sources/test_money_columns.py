"""Which columns hold money, and what says its currency: found from the mappings, so that new ones are guarded, too."""

from __future__ import annotations

import pytest

from lakehouse.sources import money_columns
from lakehouse.sources.definition import load, parse
from lakehouse.sources.money_columns import MoneyColumn

DEFINITION = """
source: own
entity: sums
doc: Sums
grain: one row a sum
format: csv
columns:
  - {name: id, from: id, required: true, doc: Id}
  - {name: amount, from: amount, type: "decimal(18,2)", formats: [amount], doc: Amount}
  - {name: tax, from: tax, type: "decimal(18,2)", doc: A plain number}
  - {name: pieces, from: pieces, type: "decimal(18,0)", formats: [amount], doc: No money}
  - {name: coin, from: coin, doc: Currency}
  - {name: land, from: land, doc: Country}
core:
  payments:
    payment_id: id
    amount: %s
    currency: %s
"""


@pytest.mark.parametrize(
    ("amount", "currency", "found"),
    [
        ("amount", "coin", ("coin", "coin")),
        ("abs(amount)", "\"coalesce(coin, 'CNY')\"", ("coalesce(coin, 'CNY')", "coin")),
        ("amount", "\"'CNY'\"", ("'CNY'", None)),
        ("amount", '"coalesce(coin, land)"', ("coalesce(coin, land)", None)),
        ("amount", '"max(coin) OVER (PARTITION BY id)"', ("coin", "coin")),
        ("tax", "coin", None),
    ],
)  # fmt: skip
def test_a_column_of_money_has_the_currency_of_its_mapping(amount, currency, found):
    """One that refuses signs needs no guard; a number of pieces is no money; other rows cannot be asked."""
    source = parse(DEFINITION % (amount, currency), "own.yaml")
    expected = () if found is None else (MoneyColumn("amount", *found, None),)
    assert money_columns.find(source) == expected


def test_the_shipped_mappings_with_amounts_that_may_name_a_currency():
    """Each is found; a mapping that is added with one appears here."""
    found = {source.table for source in load().values() if money_columns.find(source)}
    assert found == {
        "raw.ads_spend", "raw.douyin_spend", "raw.erp_receipts", "raw.google_spend", "raw.hubspot_companies",
        "raw.hubspot_deals", "raw.meta_spend", "raw.wukong_contracts", "raw.wukong_deals", "raw.wukong_payments",
        "raw.zoho_accounts", "raw.zoho_deals",
    }  # fmt: skip
