"""Times that are written without a zone are those of the source's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.raw_files import a_company

pytestmark = pytest.mark.stack

DEFINITION = """
source: till
entity: sales
doc: Sales
grain: one row a sale
format: csv
time_zone: {zone}
key: [id]
columns:
  - {{name: id, from: id, required: true, doc: Id}}
  - {{name: sold_at, from: sold_at, type: timestamptz, formats: [ymd, excel, chinese], doc: When}}
  - {{name: sold_on, from: sold_on, type: date, doc: Day}}
core:
  orders: {{order_id: id, ordered_at: sold_at}}
"""


LINES = b"""\
id,sold_at,sold_on
a,2026-01-05 10:00:00,2026-01-05
b,2026/1/5 10:00,2026-01-05
c,46027.416666666664,2026-01-05
d,2026-01-05T10:00:00+00:00,2026-01-05
e,2026-01-05T10:00:00Z,2026-01-05
f,2026-07-05 10:00:00,2026-07-05
"""


@pytest.mark.parametrize(
    ("zone", "winter", "summer"), [("Asia/Shanghai", 8, 8), ("America/New_York", -5, -4), ("UTC", 0, 0)]
)
def test_a_time_without_a_zone_is_local_and_one_with_it_is_not(landing, tmp_path, zone, winter, summer):
    """Whatever form it is written in. A day is a day in every zone; New York knows summer, too."""
    (tmp_path / "defined" / "sources").mkdir(parents=True)
    (tmp_path / "defined" / "sources" / "till_sales.yaml").write_text(DEFINITION.format(zone=zone), "utf-8")
    with a_company(landing.model_copy(update={"definitions": tmp_path / "defined"})) as company:
        (record,) = company.ingest(file := company.put("till/sales/x.csv", LINES)).records
        assert (record.loaded, record.quarantined) == (6, 0), company.quarantined(file)
        rows = {row["id"]: row for row in company.rows("raw.till_sales")}
    assert {rows[name]["sold_at"] for name in "abc"} == {datetime(2026, 1, 5, 10 - winter, tzinfo=UTC)}
    assert {rows[name]["sold_at"] for name in "de"} == {datetime(2026, 1, 5, 10, tzinfo=UTC)}
    assert rows["f"]["sold_at"] == datetime(2026, 7, 5, 10 - summer, tzinfo=UTC)
    assert [str(rows[name]["sold_on"]) for name in "af"] == ["2026-01-05", "2026-07-05"]
