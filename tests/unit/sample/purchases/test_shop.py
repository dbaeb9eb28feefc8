"""The real purchases are there, untouched."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.sample.purchases import shop


def test_every_real_purchase_is_there_and_none_is_altered(sample: Any, tmp_path: Path) -> None:
    """69,659 rows, 23,570 customers, $2,500,315.63 by decimal sum; order ids number the rows."""
    files = shop.write_orders(tmp_path, shop.read_purchases())
    rows = [row for file in files for row in sample.csv_rows(file.path)]
    assert [file.rows for file in files] == [41_528, 15_374, 12_757]
    assert len(rows) == 69_659
    assert len({row["customer_id"] for row in rows}) == 23_570
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("2500315.63")
    with gzip.open(shop.MASTER, "rt", encoding="ascii") as lines:
        next(lines)
        master = [tuple(line.split()) for line in lines]
    by_order = sorted(rows, key=lambda row: row["order_id"])
    assert [row["order_id"] for row in by_order] == [f"O{n:06d}" for n in range(1, 69_660)]
    assert master == [
        (r["customer_id"][1:], r["ordered_at"].replace("-", ""), r["quantity"], r["amount"]) for r in by_order
    ]
    assert {(row["currency"], row["store"]) for row in rows} == {("USD", "cdnow")}


def test_each_purchase_lies_in_the_file_of_its_half_year(sample: Any) -> None:
    """A file's name says which half-year it holds."""
    for file in sample.files_of("shop/orders"):
        for row in sample.csv_rows(file.path):
            half = 1 if int(row["ordered_at"][5:7]) <= 6 else 2
            assert file.path.stem.endswith(f"{row['ordered_at'][:4]}H{half}")
