"""Revenue in the cases that people reported of other software: all in one lake, by the shipped definitions.

`tests/reported_money/<case>/<source>__<entity>/<file>`; files 2* are loaded once all others are through.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.filled_lake import Filled, Place, filled_lake

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "reported_money"


def _step(number: str) -> dict[Place, Path]:
    files = [path for path in sorted(FOLDER.glob("*/*__*/*")) if (path.name[0] == "2") == (number == "2")]
    return {(*path.parent.name.split("__"), str(path.relative_to(FOLDER))): path for path in files}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAKEHOUSE_AS_OF", "2026-11-30")
        patch.setenv("LAKEHOUSE_TIME_ZONE", "America/New_York")
        with filled_lake(tmp_path_factory.mktemp("lake"), _step("1"), _step("2")) as filled:
            assert filled.wrong == []
            yield filled


def bought(lake: Filled, who: str, columns: str = "orders, revenue") -> tuple[object, ...]:
    """Return columns of customer_360 of whoever has this account or e-mail."""
    [row] = lake.ask(
        f"SELECT {columns} FROM marts.customer_360 WHERE customer_id IN "
        f"(SELECT customer_id FROM core.identities WHERE identifier_value = '{who}')"
    )
    return row


def refunds(lake: Filled, case: str) -> list[tuple[object, ...]]:
    return lake.ask(
        f"SELECT refund_id, refunded_on, value, reason FROM core.refunds WHERE refund_id LIKE '{case}%' ORDER BY ALL"
    )


@pytest.mark.parametrize(
    ("who", "orders", "revenue"),
    [
        pytest.param("s16a", 1, 100, id="one completed, one cancelled, one refunded"),
        pytest.param("s16b", 0, 0, id="cancelled alone"),
        pytest.param("s16c", 0, 0, id="an order and the same below zero"),
        pytest.param("sam@case16.net", 1, 10, id="90 of 100 given back"),
        pytest.param("tea@case16.net", 0, 0, id="voided"),
        pytest.param("s17", 3, 70, id="usd, USD and US$"),
        pytest.param("s26", 1, 5, id="an order of next year is none yet"),
        pytest.param("m1", 1, 90, id="part of an order, then all of it once more (woocommerce#66217)"),
        pytest.param("m2", 2, 170, id="a return and its refund are one; asked is not given back"),
        pytest.param("m3", 2, 90, id="given back in another currency (woocommerce-payments#5215)"),
        pytest.param("m4", 5, 128 + 200 + 2048 + 4096 + 8192, id="statuses of many languages"),
        pytest.param("amy@case50.net", 1, 100, id="a bogus gateway, a cancellation, a draft"),
        pytest.param("wei@case51.net", 1, 30, id="WooCommerce's refunds"),
        pytest.param("m6", 1, 10, id="1970 is a day, and 2099 is not there yet"),
        pytest.param("m6b", 0, 0, id="10^15 given back of 40, the day before"),
        pytest.param("m7", 1, 10, id="cancelled and reopened, paid and voided"),
    ],
)
def test_who_bought_what(lake: Filled, who: str, orders: int, revenue: int) -> None:
    """Orders are those of which something is left, revenue is what is left."""
    assert bought(lake, who) == (orders, Decimal(revenue))
    days, first, recency = bought(lake, who, "purchase_days, first_order_on, recency_days")
    assert (days > 0) == (first is not None) == (recency is not None) == (orders > 0)


def test_each_refund_counts_on_its_day_and_never_more_than_the_order(lake: Filled) -> None:
    """What a second refund repeats is not given back twice; what was never given back says why."""
    assert refunds(lake, "m1") == [
        ("m1-r1", date(2026, 11, 9), Decimal("16.13"), None),
        ("m1-r2", date(2026, 11, 10), Decimal("17.70"), "more than the order"),
        ("m1-r3", date(2026, 11, 10), Decimal(0), "not given back"),
        ("m1-r4", date(2026, 11, 10), Decimal(0), "no such order"),
    ]
    assert refunds(lake, "m2") == [
        ("m2-r1", date(2026, 11, 7), Decimal(30), None),
        ("m2-t1", date(2026, 11, 5), Decimal(0), "said elsewhere"),
        ("m2-t2", date(2026, 11, 5), Decimal(0), "not given back"),
    ]


def test_gross_stays_what_it_was(lake: Filled) -> None:
    """A refund takes nothing off it (woocommerce-admin#2650), and a discount once (omi#13180)."""
    columns = "gross, discounts, refunds, revenue"
    assert bought(lake, "m1", columns) == (Decimal("133.83"), Decimal(10), Decimal("33.83"), Decimal(90))
    days = "SELECT gross, refunds, revenue FROM marts.daily_activity WHERE day = DATE '{}'"
    [(_, back, net)] = lake.ask(days.format("2026-11-10"))
    assert back >= Decimal("17.70") > 0
    assert net is not None


def test_what_nobody_can_count_is_counted_apart(lake: Filled) -> None:
    """A status that no list has, and a currency without a rate, are in no sum."""
    assert bought(lake, "m4", "unclear_orders") == (1,)
    assert bought(lake, "m3", "unvalued_orders") == (1,)
    assert lake.ask("SELECT order_id FROM core.order_values WHERE counts_as = 'unclear'") == [("m4-11",)]
    assert lake.ask("SELECT order_id FROM core.order_values WHERE counts_as = 'test' ORDER BY 1") == [
        ("#5001",), ("m4-10",),
    ]  # fmt: skip


def test_days_are_the_business_s(lake: Filled) -> None:
    """Half past eight in the evening of 31 October is in October, wherever the server stands."""
    assert bought(lake, "val@case18.net", "first_order_on") == (date(2026, 10, 31),)
    assert bought(lake, "wen@case18.net", "first_order_on") == (date(2026, 10, 31),)


def test_both_marts_and_the_orders_have_one_sum(lake: Filled) -> None:
    """Of those whom somebody is known by; guests are in the days alone."""
    [(by_order, by_day)] = lake.ask(
        "SELECT (SELECT sum(value) FROM core.order_values), (SELECT sum(revenue) FROM marts.daily_activity)"
    )
    assert by_order == by_day
    [(by_customer, theirs)] = lake.ask(
        "SELECT (SELECT sum(revenue) FROM marts.customer_360), (SELECT sum(value) FROM core.order_values "
        "WHERE customer_id IS NOT NULL AND ordered_on <= DATE '2026-11-30')"
    )
    assert by_customer == theirs
