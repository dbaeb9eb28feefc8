"""The shop's back office: accounts stay, orders cost what the shop says, and are exported as `shop/orders` has it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import pytest

from lakehouse.errors import Terminal
from lakehouse.local.policy import ShopPolicy
from lakehouse.local.shop.office import PRODUCTS, Office
from lakehouse.sources import definition

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def landed():
    return []


@pytest.fixture
def office(tmp_path, landed):
    return Office(tmp_path, landed.append, lambda: NOON)


def test_an_address_has_one_account_for_ever(office, tmp_path):
    """However it is written, and after a restart."""
    ada = office.sign_in("ada@shop.example")
    assert office.sign_in(" Ada@Shop.example ".strip()) == ada
    assert Office(tmp_path, print, lambda: NOON).sign_in("ada@shop.example") == ada
    assert office.sign_in("bob@shop.example") != ada


@pytest.mark.parametrize("email", [None, "", "ada", "ada@", "a b@shop.example", 7, ["ada@shop.example"], {}])
def test_what_is_no_address_gets_no_account(office, email):
    """A person reads why."""
    with pytest.raises(Terminal, match="no e-mail address"):
        office.sign_in(email)


def test_an_order_is_exported_as_the_source_reads_it(office, landed):
    """One line of CSV whose columns all stand in the definition of `shop/orders`, to the cent."""
    order = office.take_order(office.sign_in("ada@shop.example"), {"assam": 2, "pu-erh": 1})
    [path] = landed
    with path.open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["order_id"], row["customer_id"]) == (order.order_id, order.user_id)
    assert (row["amount"], row["quantity"], row["ordered_at"]) == (
        "55.80",
        "3",
        "2026-11-30T12:00:00.000+00:00",
    )
    columns = definition.load(None)["shop", "orders"].columns
    assert set(row) <= {column.name for column in columns}


def test_each_order_is_one(office, landed):
    """Two alike are two orders, in two files."""
    user = office.sign_in("ada@shop.example")
    orders = [office.take_order(user, {"assam": 1}) for _ in range(2)]
    assert len({order.order_id for order in orders}) == len(set(landed)) == 2


@pytest.mark.parametrize(
    "lines",
    [
        None, [], {}, "assam", {"coffee": 1}, {"assam": 0}, {"assam": -1}, {"assam": 1.5}, {"assam": True},
        {"assam": "1"}, {"assam": ShopPolicy.quantity + 1}, {"assam": 1, "coffee": 1},
    ],
)  # fmt: skip
def test_what_the_shop_does_not_sell_is_no_order(office, landed, lines):
    """Nothing is exported."""
    user = office.sign_in("ada@shop.example")
    with pytest.raises(Terminal, match="empty the basket"):
        office.take_order(user, lines)
    assert landed == []


@pytest.mark.parametrize("user", [None, "", "shopper-9", 3, ["shopper-1"]])
def test_nobody_buys_without_an_account(office, landed, user):
    """The page sends such a visitor to sign in."""
    with pytest.raises(Terminal, match="sign in"):
        office.take_order(user, {PRODUCTS[0].id: 1})
    assert landed == []
