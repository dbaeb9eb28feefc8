"""The shop's export: every purchase of CDNOW, real, in file order, numbered and otherwise untouched.

Source: 23,570 customers who first bought in the first quarter of 1997, followed to 1998-06-30 (Fader and
Hardie), as shipped with the Lifetimes package under MIT.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lakehouse.sample.purchases.files import SampleFile

if TYPE_CHECKING:
    from collections.abc import Sequence

MASTER = Path(__file__).with_name("CDNOW_master.txt.gz")
LICENCE = MASTER.with_name("CDNOW_LICENSE")
HEADER = "order_id,customer_id,ordered_at,quantity,amount,currency,store"
CURRENCY = "USD"
STORE = "cdnow"
HALF_YEARS = ("1997H1", "1997H2", "1998H1")
_FIRST_MONTH_OF_H2 = "07"


class Purchase(NamedTuple):
    """One row of the master file. `day` is ISO 8601, `amount` the decimal text as it stands there."""

    order_id: str
    customer_id: str
    day: str
    quantity: str
    amount: str

    @property
    def month(self) -> str:
        """The month of the purchase, such as `1997-03`."""
        return self.day[:7]

    @property
    def half_year(self) -> str:
        """The half-year of the purchase, such as `1997H1`."""
        year, month, _ = self.day.split("-")
        half = 1 if month < _FIRST_MONTH_OF_H2 else 2
        return f"{year}H{half}"


def read_purchases(customers: int | None = None) -> list[Purchase]:
    """Read the purchases of the first `customers` customers (None: all) in file order.

    The master file has no order id and 255 exact duplicates, so a row's number is its order id.
    """
    purchases: list[Purchase] = []
    with gzip.open(MASTER, "rt", encoding="ascii") as lines:
        next(lines)
        for number, line in enumerate(lines, start=1):
            customer, day, quantity, amount = line.split()
            if customers is not None and int(customer) > customers:
                break  # the file is sorted by customer
            iso_day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
            purchases.append(Purchase(f"O{number:06d}", f"C{customer}", iso_day, quantity, amount))
    return purchases


def write_orders(folder: Path, purchases: Sequence[Purchase]) -> list[SampleFile]:
    """Write `shop/orders`, one CSV file a half-year; a half-year without purchases gets no file."""
    lines: dict[str, list[str]] = {half_year: [] for half_year in HALF_YEARS}
    for purchase in purchases:
        cells = (*purchase, CURRENCY, STORE)
        lines[purchase.half_year].append(",".join(cells))
    files = []
    for half_year, rows in lines.items():
        if rows:
            path = folder / f"shop_orders_{half_year}.csv"
            path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8", newline="\n")
            files.append(SampleFile("shop", "orders", path, len(rows)))
    return files
