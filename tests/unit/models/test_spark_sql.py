"""What sqlglot leaves as it is has the words of Spark: stars, days, moments, functions."""

from __future__ import annotations

import pytest

from lakehouse.models.model_file import parse
from lakehouse.models.spark_sql import not_on_spark, spark_sql

TYPES = {
    "marts.rfm": {"customer_id": "VARCHAR", "first_on": "DATE", "last_on": "DATE", "orders": "BIGINT"},
    "core.deals": {
        "deal_id": "VARCHAR",
        "created_at": "TIMESTAMP WITH TIME ZONE",
        "closed_at": "TIMESTAMP WITH TIME ZONE",
    },
}


def model(select: str):
    """A model of one column, `x`."""
    select = f"SELECT x FROM ({select})"
    return parse(
        f"/*\ndoc: d\ngrain: g\nkey: [x]\ncolumns:\n  - {{name: x, doc: x}}\n*/\n{select}", "marts/mine.sql"
    )


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("SELECT last_on - first_on AS x FROM marts.rfm", "DATEDIFF(rfm.last_on, rfm.first_on)"),
        ("SELECT orders - 1 AS x FROM marts.rfm", "rfm.orders - 1"),
        ("SELECT epoch(closed_at - created_at) AS x FROM core.deals",
         "(UNIX_MICROS(deals.closed_at) - UNIX_MICROS(deals.created_at)) / CAST(1000000 AS DOUBLE)"),
        ("SELECT regexp_full_match(concat('', regexp_full_match(customer_id, 'a')), 'b') AS x FROM marts.rfm",
         "RLIKE CONCAT('^(?:', 'b', ')$')"),
        ("SELECT isoyear(first_on) AS x FROM marts.rfm", "EXTRACT(YEAROFWEEK FROM rfm.first_on)"),
        ("SELECT date_sub('year', first_on, last_on) AS x FROM marts.rfm", "/ 10000"),
        ("SELECT string_agg(customer_id, ',' ORDER BY customer_id) AS x FROM marts.rfm",
         "ARRAY_JOIN(ARRAY_SORT(COLLECT_LIST(rfm.customer_id)), ',')"),
        ("SELECT count(*) FILTER (orders > 1) OVER (PARTITION BY first_on) AS x FROM marts.rfm",
         "COUNT(CASE WHEN rfm.orders > 1 THEN 1 END) OVER (PARTITION BY rfm.first_on)"),
        ("SELECT len([v for v in [customer_id, 'a'] if v <> '']) AS x FROM marts.rfm", "SIZE(FILTER("),
        ("SELECT isodow(first_on) AS x FROM marts.rfm", "WEEKDAY(rfm.first_on) + 1"),
        ("SELECT date_diff('month', first_on, last_on) AS x FROM marts.rfm",
         "* 12 + MONTH(rfm.last_on) - MONTH(rfm.first_on)"),
        ("SELECT date_diff('year', first_on, last_on) AS x FROM marts.rfm", "YEAR(rfm.last_on) - YEAR(rfm.first_on)"),
    ],
)  # fmt: skip
def test_what_means_the_same_has_other_words(select, words) -> None:
    """Each of these is refused by Spark, or means another thing there, as sqlglot alone writes it."""
    said = spark_sql(model(select), TYPES, {})
    assert words in said
    assert "FULL_MATCH" not in said  # one within the other


def test_stars_are_written_out() -> None:
    """Spark knows neither `EXCLUDE` nor `REPLACE` nor `RENAME`."""
    star = "* EXCLUDE (orders) REPLACE ('a' AS customer_id) RENAME (last_on AS x)"
    select = f"SELECT x FROM (SELECT {star} FROM marts.rfm)"
    words = spark_sql(model(select), TYPES, {})
    assert "*" not in words
    assert "'a' AS customer_id" in words
    assert "rfm.last_on AS x" in words
    assert "orders" not in words


@pytest.mark.parametrize(
    ("select", "lacks"),
    [
        ("SELECT a.orders AS x FROM marts.rfm AS a ASOF JOIN marts.rfm AS b ON a.last_on >= b.first_on", ["ASOF JOIN"]),
        ("SELECT x FROM (SELECT customer_id AS x FROM marts.rfm UNION ALL BY NAME SELECT 'a' AS x)", ["UNION BY NAME"]),
        ("SELECT list(customer_id ORDER BY last_on) AS x FROM marts.rfm", ["an aggregate in an order"]),
        ("SELECT address_host(customer_id) AS x FROM marts.rfm", ["address_host()"]),
        ("SELECT unnest([customer_id]) AS x, unnest([orders]) AS y FROM marts.rfm", ["two UNNEST of one SELECT"]),
        ("SELECT unnest([{'a': customer_id, 'b': 'c'}]) AS x FROM marts.rfm", []),
        ("SELECT string_agg(customer_id, ',' ORDER BY customer_id) AS x FROM marts.rfm", []),
    ],
)  # fmt: skip
def test_what_spark_lacks_is_told(select, lacks) -> None:
    """Lists lose their order there without a word, and of two lists each value comes with each of the other."""
    assert not_on_spark(model(select)) == lacks
