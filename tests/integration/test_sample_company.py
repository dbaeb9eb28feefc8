"""The generated company's files load as they are: the shop's orders and the clickstream, every row accounted for."""

from __future__ import annotations

import pytest

from lakehouse.local.sample.company import write
from tests.support.raw_files import a_company, records

pytestmark = pytest.mark.stack


def test_orders_and_messages_of_the_company_load(landing, tmp_path):
    """No row is set aside; orders that are there twice stay two versions, messages that are become one."""
    truth = write(tmp_path / "out", customers=200, seed=3)
    with a_company(landing) as company:
        names = {"shop/orders": "orders-00000.csv", "web/events": "events-00000.jsonl.gz"}
        for place, name in names.items():
            file = company.put(f"{place}/{name}", (tmp_path / "out" / place / name).read_bytes())
            again = truth.dirt[f"{place}.rows.duplicate_row"] if place == "web/events" else 0
            received = truth.rows[place]
            counts = records(company.ingest(file))
            assert counts == {file.file_id: (received, received - again, again, 0)}
            assert received > 1000
        (order,) = {row["currency"] for row in company.rows("raw.shop_orders")}
        assert order == "CNY"
