"""A condition is read before it runs: what it must not do, and which columns nobody knows."""

from __future__ import annotations

import pytest

from lakehouse.segments.condition import problem_in

COLUMNS = (
    "customer_id",
    "orders",
    "revenue",
    "recency_days",
    "first_order_on",
    "as_of",
    "home_currency",
    "m",
)


@pytest.mark.parametrize(
    "where",
    [
        "orders > 3 AND recency_days < 30",
        "m = 5 AND orders >= 2 -- the best",
        "date_trunc('month', first_order_on) = date_trunc('month', as_of)",
        "revenue BETWEEN 10 AND 20 OR home_currency IN ('EUR', 'CHF')",
        "ORDERS > 3",
        "revenue > (SELECT avg(revenue) FROM marts.customer_360)",
        "first_order_on > as_of - INTERVAL 90 DAY",
        "list_contains(list_transform([1, 2], x -> x + 1), orders)",
        "true",
    ],
)
def test_a_condition_over_known_columns_is_none_the_worse(where):
    """What DuckDB takes, as far as it can be read."""
    assert not problem_in(where, COLUMNS)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("order > 3", "wrong near|there is no column"),
        ("ordrs > 3", "there is no column ordrs; did you mean orders"),
        ("recency > 3", "there is no column recency"),
        ("orders > 3 AND (recency_days < 30", "not a condition"),
        ("", "not one condition"),
        ("true); DROP TABLE marts.rfm; --", "not"),
        ("true; DROP TABLE marts.rfm", "not one condition"),
        ("COPY (SELECT 1) TO '/tmp/x'", "not"),
        ("SELECT customer_id FROM marts.rfm", "not one condition"),
        ("true) UNION SELECT * FROM (marts.rfm", "not"),
        ("customer_id IN (SELECT c FROM read_csv('/etc/passwd'))", "reads what is no row|is no table"),
        ("customer_id IN (SELECT * FROM '/etc/passwd')", "cannot be read"),
        ("customer_id IN (FROM core.customers SELECT customer_id)", "cannot be read"),
        ("customer_id IN (SELECT content FROM read_text('/etc/passwd'))", "reads what is no row|is no table"),
        ("customer_id = getenv('AWS_SECRET_ACCESS_KEY')", "reads what is no row"),
        ("customer_id = current_setting('s3_secret_access_key')", "reads what is no row"),
        ("orders IN (SELECT range FROM range(1000000000000))", "is no table"),
        ("orders > ?", "stand for parameters"),
        ("orders > $1", "stand for parameters"),
        ("COLUMNS(*) IS NOT NULL", "asks many columns at once"),
        ("(WITH RECURSIVE t AS (SELECT 1 AS n) SELECT max(n) FROM t) > orders", "may never end"),
        ("random() < 0.1", "another answer each time"),
        ("uuid()::VARCHAR < customer_id", "another answer each time"),
    ],
)
def test_what_a_condition_must_not_do_is_told(where, says):
    """Before it runs, with the nearest name where there is one."""
    problem = problem_in(where, COLUMNS)
    assert problem
    assert __import__("re").search(says, problem), problem
