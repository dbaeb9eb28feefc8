"""A metric's definition: what it may say, what is wrong in one, and that a wrong one stops only itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models import metric

GOOD = """\
name: margin
title: Margin
question: What is left of what was sold?
table: core.sales_ledger
joins:
  - {name: customer, table: core.customers, key: {customer_id: customer_id}}
sql: sum(gross - discounts)
dimensions:
  month: date_trunc('month', day)
  country: customer.country
unit: home currency
owner: sales
"""


def _own(folder: Path, text: str, name: str = "margin") -> Path:
    (folder / "metrics").mkdir(exist_ok=True)
    (folder / "metrics" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def test_a_file_dropped_in_is_a_metric(tmp_path):
    """Beside those that ship; one of a shipped name takes its place."""
    own = GOOD.replace("name: margin", "name: revenue", 1)
    known = metric.load(_own(_own(tmp_path, GOOD), own, "revenue"))
    assert known.wrong == {}
    assert known.defined["margin"].dimensions["country"] == "customer.country"
    assert known.defined["revenue"].sql == "sum(gross - discounts)"
    assert known.defined.keys() == metric.load().defined.keys() | {"margin"}


def test_all_that_ship_are_right():
    """Each with a question, a Chinese name, a unit and an owner."""
    shipped = metric.load()
    assert shipped.wrong == {}
    assert len(shipped.defined) >= 12
    assert all(each.zh and each.question.endswith("?") for each in shipped.defined.values())


@pytest.mark.parametrize(
    ("swap", "reason"),
    [
        (("sql: sum(gross - discounts)", "sql: gross"), "sql: no aggregate: say sum"),
        (("sum(gross - discounts)", "sum(gross) + discounts"), "sql: a column stands outside of all aggr"),
        (("sum(gross - discounts)", "sum(gross), count(*)"), "sql: not one expression (line 7)"),
        (("sum(gross - discounts)", "sum(gross) FROM raw.events"), "sql: not one expression (line 7)"),
        (("sum(gross - discounts)", "sum(gross) AS g"), "leave out AS"),
        (("sum(gross - discounts)", "(SELECT count(*) FROM raw.events)"), "sql: an expression has no SELECT"),
        (("sum(gross - discounts)", "sum(sum(gross)) OVER ()"), "no window"),
        (("sum(gross - discounts)", "sum(gross"), "sql: not SQL near"),
        (("sum(gross - discounts)", "count(*) FILTER (day < now())"), "sql: "),
        (("sum(gross - discounts)", "sum(getvariable('as_of') - day)"), "sql: a metric has no getvariable"),
        (("date_trunc('month', day)", "max(day)"), "dimensions.month: an aggregate stands in `sql` alone (line 9)"),
        (("date_trunc('month', day)", "read_text('/etc/hosts')"), "dimensions.month: read_text() reads"),
        (("name: margin", "name: profit"), "name: 'profit' must be the file's own name (line 1)"),
        (("owner: sales", "boss: sales"), "boss: unknown name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(swap, reason):
    """Before anything is asked."""
    with pytest.raises(BadDefinition) as error:
        metric.parse(GOOD.replace(*swap, 1), "margin.yaml")
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("swap", "reason"),
    [
        (("sum(gross", "sum(grosss"), "sql: core.sales_ledger has no column grosss; did you mean gross?"),
        (("customer.country", "client.country"), "dimensions.country: there is no join 'client'"),
        (("customer.country", "customer.land"), "dimensions.country: core.customers has no column land"),
        (
            ("table: core.sales_ledger", "table: core.sale_ledger"),
            "there is no core.sale_ledger; did you mean",
        ),
        (("core.customers, key: {customer_id", "core.contacts, key: {customer_id"), "source, contact_id"),
        (
            ("key: {customer_id: customer_id}", "key: {customer_id: customer.email}"),
            "by columns of core.sales",
        ),
        (("name: customer,", "name: base,"), "joins: two have one name, or one is called base"),
    ],
)
def test_what_is_not_there_stops_the_metric_alone(tmp_path, swap, reason):
    """A column, a table, a join; and a join that could find more than one row."""
    text = GOOD.replace(*swap, 1)
    known = metric.load(_own(tmp_path, text))
    assert reason in known.wrong["margin"]
    assert "margin" not in known.defined
    assert known.defined.keys() == metric.load().defined.keys()


def test_a_wrong_file_does_not_bring_the_shipped_one_back(tmp_path):
    """Its number would have another meaning than the file says."""
    known = metric.load(_own(tmp_path, "name: revenue", "revenue"))
    assert "revenue" in known.wrong
    assert "revenue" not in known.defined
    assert "orders" in known.defined


RATIO = """\
name: tickets_a_sale
title: Tickets a sale
question: How many tickets does a sale bring?
ratio: {of: tickets, over: orders}
dimensions: [month, region]
unit: tickets
owner: service
"""


def test_a_ratio_is_one_metric_over_another(tmp_path):
    """Shipped ones and own ones; by dimensions that both have."""
    ratio = metric.load(_own(tmp_path, RATIO, "tickets_a_sale")).defined["tickets_a_sale"]
    assert isinstance(ratio, metric.Ratio)
    assert (ratio.of.name, ratio.over.name, ratio.dimensions) == ("tickets", "orders", ("month", "region"))


@pytest.mark.parametrize(
    ("swap", "reason"),
    [
        (
            ("of: tickets", "of: tickts"),
            "ratio.of: there is no metric of a table 'tickts'; did you mean tickets?",
        ),
        (("over: orders", "over: conversion"), "ratio.over: there is no metric of a table 'conversion'"),
        (("[month, region]", "[month, theme]"), "dimensions: orders has no dimension 'theme'"),
        (("[month, region]", "[month, shop]"), "dimensions: tickets has no dimension 'shop'"),
        (("over: orders", "under: orders"), "ratio.under: unknown name"),
        (("name: tickets_a_sale", "name: other"), "must be the file's own name"),
        (("unit: tickets", "sql: count(*)"), "sql: unknown name"),
    ],
)
def test_a_wrong_ratio_stops_itself_alone(tmp_path, swap, reason):
    """A metric that is not there, that is a ratio itself, or has other dimensions."""
    known = metric.load(_own(tmp_path, RATIO.replace(*swap, 1), "tickets_a_sale"))
    assert reason in known.wrong["tickets_a_sale"]
    assert known.defined.keys() == metric.load().defined.keys()


def test_a_ratio_of_a_wrong_metric_is_wrong(tmp_path):
    """Both are named; the others can be asked."""
    known = metric.load(_own(tmp_path, "name: orders", "orders"))
    assert "ratio.of: there is no metric of a table 'orders'" in known.wrong["conversion"]
    assert {"orders", "conversion", "tickets_per_order"} == known.wrong.keys()


def test_metrics_are_read_again_only_when_a_file_changed(tmp_path):
    """`status` asks for them each time: it gets the same ones until a file of them, or of a table, came."""
    folder = _own(tmp_path, GOOD)
    first = metric.load(folder)
    assert metric.load(folder) is first
    second = metric.load(_own(folder, GOOD.replace("name: margin", "name: profit", 1), "profit"))
    assert second.defined.keys() - first.defined.keys() == {"profit"}
    model = tmp_path / "models/core/sales_ledger.sql"
    model.parent.mkdir(parents=True)
    model.write_text("no model", "utf-8")
    assert {"margin", "profit"} <= metric.load(folder).wrong.keys()
