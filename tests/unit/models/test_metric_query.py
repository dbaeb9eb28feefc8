"""Questions about metrics: what each that ships says of a small lake, and questions that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from lakehouse.errors import Terminal
from lakehouse.models import metric
from lakehouse.models.metric_query import metric_sql
from tests.support.model_cases import Row, fill

ORDER = {"source": "shop", "line_id": "a", "entry": "sale", "is_order": True, "refunds": 0, "discounts": 0}
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def _sale(order_id: str, day: str, customer: str | None, gross: float, **more: object) -> Row:
    cells = (
        ORDER
        | {"order_id": order_id, "day": day, "customer_id": customer, "gross": gross, "quantity": 1}
        | more
    )
    return cells | {"value": None if gross is None else gross - cells["discounts"] - cells["refunds"]}


LAKE: dict[str, list[Row]] = {
    "core.sales_ledger": [
        _sale("1", "2026-01-31", "ann", 100, discounts=10, category="tea", region_code="CN-SH"),
        _sale("1", "2026-01-31", "ann", 50, line_id="b", category="pots", region_code="CN-SH"),
        _sale("2", "2026-02-01", "bob", 40, category="tea", taken_back_on="2026-02-03"),
        _sale("3", "2026-02-02", None, 30, channel="web", category="tea"),
        _sale("4", "2026-02-02", "ann", None, discounts=None, refunds=None, channel="web"),
        _sale("2", "2026-02-03", "bob", 0, category="tea")
        | {"entry": "payment 1", "refunds": 40, "value": -40, "is_order": False, "quantity": None},
    ],
    "marts.rfm": [{"customer_id": "ann", "segment": "champions"}],
    "core.customers": [{"customer_id": "ann", "country": "CN"}, {"customer_id": "bob"}],
    "marts.customer_360": [
        {"customer_id": "ann", "orders_90d": 2}, {"customer_id": "bob", "orders_90d": 1},
        {"customer_id": "eve", "orders_90d": 0},
    ],
    "marts.daily_activity": [{"day": "2026-01-31", "new_buyers": 3}, {"day": "2026-02-01", "new_buyers": 2}],
    "marts.open_deals": [
        {"source": "crm", "stage": "offer", "amount": 100, "win_chance": 0.5},
        {"source": "crm", "stage": "talk", "amount": 50, "win_chance": 0.2},
        {"source": "crm", "stage": "talk"},
    ],
    "core.ticket_facts": [
        {"created_on": "2026-01-31", "satisfaction": 0.75, "first_response_hours": 1, "theme": "delivery"},
        {"created_on": "2026-02-01", "satisfaction": 0.5, "first_response_hours": 4, "theme": "delivery"},
        {"created_on": "2026-02-01", "satisfaction": 1, "theme": "money"},
        {"created_on": "2026-02-01", "theme": "money"},
    ],
    "marts.sessions": [
        {"session_id": "a", "customer_id": "ann", "started_on": "2026-01-31", "channel": "email"},
        {"session_id": "b", "customer_id": "ann", "started_on": "2026-03-01", "channel": "direct"},
        {"session_id": "c", "started_on": "2026-02-01", "channel": "direct"},
        {"session_id": "d", "started_on": "2026-02-01", "channel": "direct"},
    ],
    "marts.return_on_ad_spend": [
        {"month": "2026-01-01", "platform": "meta", "campaign_id": "m1", "spend": 30, "net_data": 45},
        {"month": "2026-02-01", "platform": "meta", "campaign_id": "m1", "spend": 20, "net_data": 5},
        {"month": "2026-02-01", "platform": "", "campaign_id": "news", "net_data": 99},
    ],
    "marts.returns": [
        {"month": "2026-01-01", "product_id": "tea", "reason": "any", "units_sold": 8, "units_returned": 2},
        {"month": "2026-01-01", "product_id": "tea", "reason": "bitter", "units_returned": 2},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the small lake; what is not given is there without rows."""
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA core; CREATE SCHEMA marts")
        for name, rows in LAKE.items():
            fill(con, name, rows)
        yield con


def _ask(
    con: duckdb.DuckDBPyConnection, name: str, by: str = "", where: str = ""
) -> list[tuple[object, ...]]:
    sql = metric_sql(metric.load().defined[name], (), by.split(",") if by else (), where)
    return con.execute(sql).fetchall()


TOTALS = {
    "revenue": Decimal(170), "orders": 3, "average_order": 85, "buyers": 1, "units": 5, "refunds": Decimal(40),
    "refund_rate": pytest.approx(40 / 210), "new_buyers": 5, "open_pipeline": Decimal(150), "expected_pipeline": 60,
    "tickets": 4, "csat": pytest.approx(2 / 3), "first_response_hours": 2.5, "active_customers": 2,
    "visits": 4, "ad_spend": Decimal(50), "return_on_ad_spend": 1, "return_rate": 0.25, "conversion": 0.75,
    "cost_of_new_buyer": 10, "tickets_per_order": pytest.approx(4 / 3),
}  # fmt: skip


@pytest.mark.parametrize("name", metric.load().defined)
def test_each_that_ships_says_what_is_there(con, name):
    """Undivided: numbers that were worked out from the rows above."""
    assert _ask(con, name) == [(TOTALS[name],)]


@pytest.mark.parametrize("name", metric.load().defined)
def test_each_dimension_of_each_metric_can_be_asked(con, name):
    """Alone and all together; sums are then those of the parts."""
    dimensions = list(metric.load().defined[name].dimensions)
    for dimension in dimensions:
        assert _ask(con, name, dimension)
    assert _ask(con, name, ",".join(dimensions))


@pytest.mark.parametrize(
    ("name", "by", "where", "rows"),
    [
        ("revenue", "month", "", [(JANUARY, Decimal(140)), (FEBRUARY, Decimal(30))]),
        ("revenue", "category,year", "", [("pots", 2026, 50), ("tea", 2026, 120), ("unknown", 2026, None)]),
        ("orders", "category", "", [("pots", 1), ("tea", 2), ("unknown", 1)]),
        ("revenue", "segment", "", [("champions", 140), ("none", 30)]),
        ("revenue", "", "segment = 'champions' AND category <> 'pots'", [(90,)]),
        ("orders", "channel", "month >= '2026-02-01' OR region = 'CN-SH'", [("unknown", 1), ("web", 2)]),
        ("average_order", "", "category = 'unknown'", [(None,)]),
        ("refund_rate", "", "month = '2030-01-01'", [(None,)]),
        ("active_customers", "country", "", [("CN", 1), ("unknown", 1)]),
        ("csat", "theme", "", [("delivery", 0.5), ("money", 1)]),
        ("open_pipeline", "stage", "not is_overdue", [("offer", 100), ("talk", 50)]),
        ("conversion", "month", "", [(JANUARY, 1), (FEBRUARY, 1), (date(2026, 3, 1), 0)]),
        ("conversion", "segment", "", [("champions", 1), ("none", 0.5)]),
        ("conversion", "", "segment = 'champions' AND month = '2026-01-01'", [(1,)]),
        ("conversion", "", "month = '2030-01-01'", [(None,)]),
        ("conversion", "", "month = '2026-03-01'", [(0,)]),
        ("cost_of_new_buyer", "month", "", [(JANUARY, 10), (FEBRUARY, 10)]),
        ("tickets_per_order", "category", "", [("pots", 0), ("tea", 0), ("unknown", 4)]),
    ],
)
def test_divided_and_of_some_rows(con, name, by, where, rows):
    """By a column, by that of another table, by what is made of them; of rows of which a condition holds."""
    assert _ask(con, name, by, where) == rows


@pytest.mark.parametrize(
    ("by", "where", "reason"),
    [
        ("mont", "", "revenue has no dimension 'mont'; did you mean month?"),
        ("month,month", "", "names a dimension twice"),
        ("", "customer_id = 'ann'", "no dimension 'customer_id'"),
        ("", "rfm.monetary > 3", "rfm.monetary is no dimension"),
        ("", "sum(year) > 3", "an aggregate is no condition"),
        ("", "year > 3) OR (1 = 1", "--where: "),
        ("", "year > 3; DROP TABLE core.sales_ledger", "--where: not one"),
        ("", "year IN (SELECT 1)", "no SELECT"),
        ("", "category = getenv('HOME')", "getenv() reads"),
        ("", "day < current_date", "gives another answer each time"),
        ("", "day < getvariable('as_of')", "no getvariable"),
        ("", "year > 3 GROUP BY 1", "--where: not one expression"),
        ("", "year > 3 AS x", "leave out AS"),
        ("", "year > 3 -- a remark", None),
        ("", "category = 'a''b -- c'", None),
    ],
)
def test_a_question_asks_for_dimensions_alone(con, by, where, reason):
    """No other columns, no files, no clock, no second statement; a remark changes nothing."""
    if reason is None:
        assert _ask(con, "revenue", by, where)
        return
    with pytest.raises(Terminal) as error:
        _ask(con, "revenue", by, where)
    assert reason in str(error.value)


def test_of_a_table_with_history_the_version_that_holds_is_joined(con):
    """So a product that changed its name is one product still."""
    con.execute("CREATE OR REPLACE TABLE core.history AS SELECT 'ann' AS id, 'old' AS name, now() AS valid_to "
                "UNION ALL SELECT 'ann', 'new', NULL")  # fmt: skip
    asked = metric.load().defined["units"]
    asked = asked.model_copy(
        update={
            "joins": (metric.Join(name="h", table="core.history", key={"id": "customer_id"}),),
            "dimensions": {"name": "coalesce(h.name, 'none')"},
        }
    )
    answer = con.execute(metric_sql(asked, {"core.history"}, ["name"])).fetchall()
    assert answer == [("new", 3), ("none", 2)]


def test_tables_that_are_not_asked_for_are_not_joined():
    """A question about months needs no segments."""
    asked = metric.load().defined["revenue"]
    assert "marts.rfm" not in metric_sql(asked, (), ["month"]).replace('"', "")
    assert "marts.rfm" in metric_sql(asked, (), [], "segment = 'new'").replace('"', "")


@pytest.mark.parametrize(
    ("by", "where", "reason"),
    [
        ("came_from", "", "conversion has no dimension 'came_from'"),
        ("", "channel = 'web'", "conversion has no dimension 'channel'"),
        ("month,month", "", "names a dimension twice"),
        ("", "rfm.monetary > 3", "rfm.monetary is no dimension"),
    ],
)
def test_a_ratio_has_the_dimensions_that_mean_the_same_in_both(con, by, where, reason):
    """Not those of one metric alone, nor one that only has the same name."""
    with pytest.raises(Terminal) as error:
        _ask(con, "conversion", by, where)
    assert reason in str(error.value)
