"""SQL that people wrote reaches no file, changes nothing, and gives customers."""

from __future__ import annotations

import re
from types import SimpleNamespace

import duckdb
import pytest

from lakehouse.segments import sandbox
from lakehouse.segments.condition import problems_in_select
from lakehouse.segments.known import NAMESPACES
from lakehouse.settings import Settings


@pytest.mark.parametrize(
    ("select", "says"),
    [
        ("SELECT customer_id FROM core.orders; DROP TABLE core.orders", "not one SELECT"),
        ("DELETE FROM core.orders", "not one SELECT"),
        ("COPY (SELECT 1) TO '/tmp/x'", "not"),
        ("INSERT INTO core.orders SELECT 1", "not one SELECT"),
        ("customer_id = 'x'", "not one SELECT"),
        ("", "not one SELECT"),
        ("SELECT customer_id FROM '/etc/passwd'", "cannot be read"),
        ("SELECT customer_id FROM read_csv('/etc/passwd')", "reads what is no row|is no table"),
        ("SELECT customer_id FROM ops.segment_members", "'ops.segment_members' cannot be read"),
        ("SELECT customer_id FROM raw.events", "'raw.events' cannot be read"),
        ("SELECT customer_id FROM orders", "'orders' cannot be read"),
        ("SELECT customer_id FROM other.core.orders", "cannot be read"),
        ("SELECT table_name AS customer_id FROM information_schema.tables", "cannot be read"),
        (
            "WITH RECURSIVE t AS (SELECT 'a' AS customer_id UNION ALL SELECT * FROM t) SELECT * FROM t",
            "may never end",
        ),
        ("SELECT range::VARCHAR AS customer_id FROM range(10000000000)", "is no table"),
        (
            "SELECT customer_id FROM core.orders WHERE ordered_at > now()",
            r"another time with each look: use \$as_of",
        ),
        (
            "SELECT customer_id FROM core.orders WHERE ordered_at > current_date - 7",
            "another time with each look",
        ),
        ("SELECT customer_id FROM core.orders USING SAMPLE 10", "another answer each time"),
        ("SELECT customer_id FROM core.orders LIMIT 10", "LIMIT without ORDER BY gives others each time"),
        ("SELECT customer_id FROM core.orders WHERE random() < 0.1", "another answer each time"),
        ("SELECT getenv('HOME') AS customer_id", "reads what is no row"),
        ("SELECT customer_id FROM query('SELECT 1')", "reads what is no row|is no table"),
        ("SELECT customer_id FROM core.orders WHERE a = ?", "stand for parameters"),
    ],
)
def test_what_a_select_must_not_do_is_told_before_it_runs(select, says):
    """It reads tables of core and marts, and nothing else."""
    problems = problems_in_select(select, NAMESPACES)
    assert problems
    assert re.search(says, " ".join(problems)), problems


@pytest.mark.parametrize(
    "select",
    [
        "SELECT customer_id FROM core.orders",
        "WITH t AS (SELECT * FROM marts.rfm) SELECT DISTINCT customer_id FROM t -- all",
        "FROM marts.rfm SELECT customer_id WHERE m = 5",
        "(SELECT customer_id FROM core.orders) UNION SELECT customer_id FROM marts.rfm ORDER BY 1 LIMIT 3",
        "SELECT unnest(['a', 'b']) AS customer_id",
    ],
)
def test_a_select_of_customers_is_none_the_worse(select):
    """Whatever DuckDB takes."""
    assert problems_in_select(select, NAMESPACES) == []


@pytest.mark.parametrize(
    ("select", "says"),
    [
        ("SELECT 'a' AS customer_id", ""),
        ("SELECT 'a' AS customer_id -- all", ""),
        ("SELECT 'a' AS customer", "must give one column, customer_id, and gives customer"),
        ("SELECT 'a' AS customer_id, 1 AS n", "gives customer_id, n"),
        ("SELECT 1 AS customer_id", "customer_id must be a text, and is INTEGER"),
        ("SELECT 1; SELECT 2", "not one SELECT"),
        ("CREATE TABLE t AS SELECT 1", "not one SELECT"),
    ],
)
def test_duckdb_says_what_a_select_gives(select, says):
    """One column of texts."""
    with duckdb.connect() as con:
        found = sandbox.problem_of_select(con, select)
    assert says in found
    assert bool(says) == bool(found)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_no_file_outside_of_the_lake_is_reached(tmp_path, scheme):
    """Whatever the SQL was read as; neither read nor written, by path, by name of a variable, or in storage."""
    inside, outside = tmp_path / "lake" / "marts" / "t", tmp_path / "other"
    inside.mkdir(parents=True)
    outside.mkdir()
    table = SimpleNamespace(location=lambda: f"{scheme}{inside}")
    with duckdb.connect() as con:
        for folder in (inside, outside):
            con.execute(f"COPY (SELECT 1 AS a) TO '{folder}/x.parquet'")
        sandbox.confine(con, Settings(), [table])
        assert con.execute(f"SELECT * FROM '{inside}/x.parquet'").fetchall() == [(1,)]
        mine = [1]  # noqa: F841 - a name that SQL might find
        for sql in (
            f"SELECT * FROM '{outside}/x.parquet'",
            f"SELECT * FROM read_text('{outside}/x.parquet')",
            f"SELECT * FROM glob('{outside}/*')",
            f"COPY (SELECT 1) TO '{outside}/y.parquet'",
            f"ATTACH '{outside}/z.db'",
            f"SELECT * FROM '{inside}/../../../other/x.parquet'",
            "SELECT * FROM 's3://landing/x.parquet'",
            "SELECT * FROM mine",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                con.execute(sql)


def test_what_a_query_spills_is_no_file_of_the_lake(tmp_path):
    """It has its own folder, confined or not."""
    with duckdb.connect(
        config={"temp_directory": str(tmp_path / "spill"), "memory_limit": "60MB", "threads": 1}
    ) as con:
        sandbox.confine(con, Settings(), [])
        spilled = (
            "SELECT count(*) FROM (SELECT hash(i) AS h FROM range(6000000) AS r(i) ORDER BY h LIMIT 5900000)"
        )
        assert con.execute(spilled).fetchall() == [(5_900_000,)]
