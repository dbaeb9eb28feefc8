"""Of a function it is known that it gives the same on Spark, or it is named."""

from __future__ import annotations

import pytest
import sqlglot

from lakehouse.models.spark_functions import not_tried


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("hash(s)", ["hash()"]),
        ("mode(s)", ["mode()"]),  # of equal ones another
        ("levenshtein(s, 'a')", ["levenshtein()"]),  # in bytes here, in characters there
        ("quantile_cont(x, 0.25)", ["percentile_cont()"]),
        ("extract(dow FROM d)", ["extract() of dow"]),  # Sunday is 0 here, 1 there
        ("date_diff('week', d, e)", ["datediff() of week"]),  # weeks that begin here, full ones there
        ("date_diff('hour', d, e)", ["datediff() of hour"]),
        ("date_diff('month', d, e) + date_diff('day', d, e)", []),
        ("extract(year FROM d) + year(d)", []),
        ("mode(s) = hash(s) OR hash(x) = 1", ["hash()", "mode()"]),
        ("upper(s) || lower(s) || lpad(s, 3, '*')", []),
        ("count(*) FILTER (x > 1) + sum(x) OVER (ORDER BY d)", []),
    ],
)
def test_what_is_not_the_same_on_spark_is_named(expression, named) -> None:
    """Each of these was computed on both engines (`tests/support/spark_functions.py`), or never was."""
    tree = sqlglot.parse_one(f"SELECT {expression} FROM t", dialect="duckdb")
    assert not_tried(tree) == named
