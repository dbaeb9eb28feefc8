"""The marts of behaviour over real purchases, and in any order of rows."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date

import pytest

from lakehouse.sample.purchases.shop import read_purchases
from tests.support.model_cases import answer

AS_OF = "1998-06-30"


@pytest.fixture(scope="module")
def real_orders():
    """The purchases of the first 600 customers of CDNOW, as orders that count."""
    return [
        {
            "source": "shop",
            "order_id": purchase.order_id,
            "customer_id": purchase.customer_id,
            "is_order": True,
            "ordered_on": date.fromisoformat(purchase.day),
        }
        for purchase in read_purchases(600)
    ]


def month(day: date) -> int:
    return day.year * 12 + day.month


def test_retention_of_real_purchases_is_what_a_plain_count_says(real_orders):
    """All first bought early in 1997; a month counts whoever bought in it, out of all of the cohort."""
    months = defaultdict(set)
    for order in real_orders:
        months[order["customer_id"]].add(month(order["ordered_on"]))
    rows = answer("marts.cohort_retention", AS_OF, core__order_values=real_orders)
    cells = {
        (month(row["cohort_on"]), row["periods"]): row
        for row in rows
        if row["unit"] == "month" and row["activity"] == "order"
    }
    assert {cohort - 1997 * 12 for cohort, _ in cells} == {1, 2, 3}
    for (cohort, since), row in cells.items():
        members = [active for active in months.values() if min(active) == cohort]
        assert row["customers"] == len(members)
        expected = sum(cohort + since in active for active in members)
        assert row["active"] == (None if cohort + since == month(date(1998, 6, 1)) else expected)
    assert len(cells) == 18 + 17 + 16


def test_stages_of_real_purchases_follow_from_their_days(real_orders):
    """Who is loyal bought on five days and lately; nobody is in two stages; most one-time buyers of 1997 are gone."""
    customers = sorted({order["customer_id"] for order in real_orders})
    rows = answer(
        "marts.lifecycle",
        AS_OF,
        core__order_values=real_orders,
        core__customers=[{"customer_id": who} for who in customers],
    )
    days = defaultdict(set)
    for order in real_orders:
        days[order["customer_id"]].add(order["ordered_on"])
    assert [row["customer_id"] for row in rows] == customers
    for row in rows:
        bought = days[row["customer_id"]]
        assert row["purchase_days"] == len(bought)
        assert row["silent_days"] == (date.fromisoformat(AS_OF) - max(bought)).days
        late = row["silent_days"] / row["usual_gap_days"]
        assert (late > 8) == (row["stage"] == "gone")
        assert (late <= 2) == (row["stage"] in {"new", "growing", "loyal", "back"})
        if row["stage"] == "loyal":
            assert len(bought) >= 5
        assert max(bought) <= row["since"] or row["since"] in bought
    stages = defaultdict(int)
    for row in rows:
        stages[row["stage"]] += 1
    assert stages["loyal"] > 10
    assert stages["gone"] + stages["asleep"] > 300


def test_a_stage_holds_since_the_day_that_it_says(real_orders):
    """Asked of the day before, another stage is said; on the day itself, it is."""
    customers = [{"customer_id": order["customer_id"]} for order in real_orders[:1]]
    who = customers[0]["customer_id"]
    day = date.fromisoformat(AS_OF)
    mine = [order | {"customer_id": who} for order in real_orders[:1]]
    first = mine[0]["ordered_on"]
    seen = {}
    for offset in (0, 180, 181, 360, 361, 541):
        when = date.fromordinal(first.toordinal() + offset)
        if when > day:
            break
        (row,) = answer(
            "marts.lifecycle", when.isoformat(), core__order_values=mine, core__customers=customers
        )
        seen[offset] = (row["stage"], (row["since"] - first).days)
    assert seen[0] == seen[180] == ("new", 0)
    assert seen[181] == seen[360] == ("at_risk", 181)
    assert seen[361] == ("asleep", 361)


@pytest.mark.parametrize(("products", "pairs"), [(100, 100 * 99), (101, 0)])
def test_a_restocking_makes_no_pairs(products, pairs):
    """Orders of more than a hundred products are left out."""
    bought = [
        {
            "source": "shop",
            "order_id": f"O{number}",
            "product_source": "shop",
            "product_id": f"P{product}",
            "ordered_on": date(1998, 1, 1),
        }
        for number in range(5)
        for product in range(products)
    ]
    assert len(answer("marts.product_affinity", AS_OF, core__order_products=bought)) == pairs


@pytest.mark.parametrize("table", ["marts.lifecycle", "marts.cohort_retention"])
def test_rows_do_not_depend_on_the_order_of_orders(real_orders, table):
    """Shuffled, they are the same."""
    some = real_orders[:400]
    people = {"core__customers": [{"customer_id": who} for who in sorted({o["customer_id"] for o in some})]}
    given = people if table == "marts.lifecycle" else {}
    shuffled = random.Random(7).sample(some, len(some))
    assert answer(table, AS_OF, core__order_values=some, **given) == answer(
        table, AS_OF, core__order_values=shuffled, **given
    )
