"""What goes with what, on planted tastes, and on customers and products that say little."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.scores import next_product
from lakehouse.scores.next_product import AGAIN, NEW_ONLY, POPULARITY, Bought
from lakehouse.scores.policy import NextProductPolicy

TASTES = {"tea": [f"tea-{n}" for n in range(12)], "tools": [f"tool-{n}" for n in range(12)]}


def bought(rows: list[tuple[str, str]], days: int = 1, ago: int = 5) -> pa.Table:
    """Customer and product pairs, each bought on as many days, as long ago."""
    customers, products = zip(*rows, strict=True) if rows else ((), ())
    return pa.table(
        {
            "customer_id": pa.array(customers, pa.string()),
            "product": pa.array(products, pa.string()),
            "days": pa.array([days] * len(rows), pa.int64()),
            "ago": pa.array([ago] * len(rows), pa.int64()),
        }
    )


def tastes(customers: int, each: int, seed: int = 1) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What customers of two tastes bought, and one more thing each, of their taste, that they bought next."""
    rng = np.random.default_rng(seed)
    before, after = [], []
    for number in range(customers):
        own = TASTES["tea" if number % 3 else "tools"]
        chosen = rng.permutation(own)[: each + 1].tolist()
        before += [(f"c{number:04}", product) for product in chosen[:each]]
        after.append((f"c{number:04}", chosen[each]))
    return before, after


def test_planted_tastes_are_found():
    """Customers get what goes with what they have, better than what most buy, and nothing of the other taste."""
    before, after = tastes(300, 4)
    scored = next_product.score(bought(before), bought(before), bought(after))
    methods = scored.quality.figures["methods"]
    assert scored.quality.method == NEW_ONLY
    assert methods[NEW_ONLY]["ndcg"] > 1.2 * methods[POPULARITY]["ndcg"]
    rows = scored.rows.to_pylist()
    assert len(rows) == 300 * NextProductPolicy.products
    for row in rows:
        if row["rank"] <= 5:
            taste = "tea" if int(row["customer_id"][1:]) % 3 else "tool"
            assert row["product"].startswith(taste)
            assert not row["bought_before"]


def test_what_is_bought_again_is_recommended_again():
    """Where customers buy the same as ever, that wins, and says that they had it."""
    before, _ = tastes(300, 3)
    again = [pair for number, pair in enumerate(before) if number % 3 == 0]
    scored = next_product.score(bought(before), bought(before), bought(again))
    assert scored.quality.method == AGAIN
    first = scored.rows.filter(np.asarray(scored.rows["rank"].to_numpy() == 1))
    assert all(first["bought_before"].to_pylist())


def test_precision_and_ndcg():
    """By hand: of ten places two hits, the first and third, of three things wanted."""
    hits = np.zeros((1, 10), dtype=bool)
    hits[0, [0, 2]] = True
    figures = next_product._precision_and_ndcg(hits, np.array([3]))
    assert figures["precision"] == pytest.approx(0.2)
    assert figures["ndcg"] == pytest.approx((1 + 0.5) / (1 + 1 / np.log2(3) + 0.5))
    assert next_product._precision_and_ndcg(np.ones((1, 10), dtype=bool), np.array([50]))[
        "ndcg"
    ] == pytest.approx(1)


def test_baskets_of_one_give_what_most_buy():
    """Nothing was ever bought together: ten of the most bought, with a score of 0, and no row twice."""
    rows = [(f"c{number:04}", f"p{number % 20:02}") for number in range(200)]
    scored = next_product.score(bought(rows), bought(rows), bought([("c0001", "p05")]))
    assert scored.rows.num_rows == 2_000
    assert len({(row["customer_id"], row["product"]) for row in scored.rows.to_pylist()}) == 2_000
    model = next_product.fit(Bought.of(bought(rows)))
    assert model.neighbours.nnz == 0


def test_a_product_never_seen_is_a_miss_and_no_failure():
    """Nobody can foresee it."""
    before, after = tastes(150, 4)
    new = [(who, "new") for who, _ in after]
    figures = next_product.compare(Bought.of(bought(before)), bought(new))
    assert figures["checked_on"] == 150
    assert {each["precision"] for each in figures["methods"].values()} == {0.0}
    some = next_product.compare(Bought.of(bought(before)), bought([*after, *new]))
    alone = next_product.compare(Bought.of(bought(before)), bought(after))
    assert 0 < some["methods"][NEW_ONLY]["ndcg"] < alone["methods"][NEW_ONLY]["ndcg"]


def test_one_customer_who_bought_everything_decides_nothing():
    """20,000 products of one reseller: they make no neighbours, and he gets his ten places."""
    before, after = tastes(300, 4)
    reseller = [("reseller", f"odd-{number}") for number in range(20_000)]
    known = bought([*before, *reseller, *(("reseller", product) for product in TASTES["tea"])])
    scored = next_product.score(known, known, bought(after))
    rows = scored.rows.to_pylist()
    assert sum(row["customer_id"] == "reseller" for row in rows) == NextProductPolicy.products
    history = next_product.fit(Bought.of(known)).history
    assert np.diff(history.indptr).max() == NextProductPolicy.most_of_customer
    others = [row for row in rows if row["customer_id"] != "reseller" and row["rank"] <= 5]
    assert not any(row["product"].startswith("odd") for row in others)


def test_who_has_everything_gets_what_is_left():
    """Where only what is new may be named, there may be fewer than ten places; none is made up."""
    rows = [(f"c{n:03}", f"p{k}") for n in range(120) for k in range(12) if n == 0 or (n + k) % 3]
    model, known = next_product.fit(Bought.of(bought(rows))), Bought.of(bought(rows))
    ranked = next_product.recommend(model, np.array([0]), NEW_ONLY)
    assert ranked.columns.tolist() == [[-1] * 10]
    assert len(known.products) == 12


@pytest.mark.parametrize("customers", [0, 1, 99])
def test_too_few_customers_have_no_rows(customers):
    """The run says why."""
    rows = [(f"c{number}", "tea") for number in range(customers)]
    scored = next_product.score(bought(rows), bought([]), bought([]))
    assert scored.rows.num_rows == 0
    assert scored.quality.method == "none"
    assert f"{customers} customers" in scored.quality.reason


def test_without_news_nothing_is_compared():
    """The usual method is used, and the run says so."""
    before, _ = tastes(150, 4)
    scored = next_product.score(bought(before), bought([]), bought([]))
    assert scored.quality.method == AGAIN
    assert "nobody" in scored.quality.reason
    assert scored.quality.ndcg is None


def test_the_order_of_rows_changes_nothing():
    """Nor do the numbers that products happen to have."""
    before, after = tastes(200, 4)
    one = next_product.score(bought(before), bought(before), bought(after))
    other = next_product.score(bought(before[::-1]), bought(before[::-1]), bought(after[::-1]))
    assert other.rows.equals(one.rows)
    assert other.quality == one.quality
