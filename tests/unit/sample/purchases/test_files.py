"""The files hold the real purchases untouched, are the same for a seed, and count their rows right."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.sample.purchases import shop, write

if TYPE_CHECKING:
    from pathlib import Path


def test_every_real_purchase_is_there_and_none_is_altered(sample: Any, tmp_path: Path) -> None:
    """69,659 rows, 23,570 customers, $2,500,315.63 by decimal sum; order ids number the rows."""
    files = shop.write_orders(tmp_path, shop.purchases())
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
    for file in sample.of("shop/orders"):
        for row in sample.csv_rows(file.path):
            half = 1 if int(row["ordered_at"][5:7]) <= 6 else 2
            assert file.path.stem.endswith(f"{row['ordered_at'][:4]}H{half}")


def test_same_seed_same_bytes_other_seed_other_people(tmp_path: Path) -> None:
    """Everything is a function of seed and size; the real purchases do not depend on the seed."""
    for name, seed in (("a", 1997), ("b", 1997), ("c", 7)):
        write(tmp_path / name, customers=60, seed=seed)
    a, b, c = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in "abc")
    assert a == b
    assert a["shop_orders_1997H1.csv"] == c["shop_orders_1997H1.csv"]
    assert a["hubspot_contacts.csv"] != c["hubspot_contacts.csv"]


@pytest.mark.parametrize("customers", [1, 2, 3])
def test_a_handful_of_customers_is_enough(tmp_path: Path, customers: int) -> None:
    """The smallest samples have no empty web or shop file and the right people."""
    files = write(tmp_path, customers=customers)
    assert all(file.rows for file in files if file.source in {"shop", "web"})
    assert len(json.loads((tmp_path / "truth.json").read_text("utf-8"))["people"]) == customers


def test_row_counts_are_what_the_files_hold(sample: Any) -> None:
    """Each returned count, the truth and the file agree; progress ends at the last file."""
    for file in sample.files:
        text = (
            sample.lines_of(file.path)
            if file.path.suffix == ".gz"
            else file.path.read_text("utf-8").splitlines()[1:]
        )
        assert len(text) == file.rows == sample.truth["files"][file.path.name]["rows"]
    assert sample.told[-1] == ("web/events", len(sample.files), len(sample.files))
    assert [done for _, done, _ in sample.told] == list(range(1, len(sample.files) + 1))
    on_disk = {p.name for p in sample.folder.iterdir()} - {"truth.json", "GENERATED.md", "CDNOW_LICENSE"}
    assert on_disk == {file.path.name for file in sample.files}
