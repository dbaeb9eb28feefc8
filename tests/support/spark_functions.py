"""`python -m tests.support.spark_functions PYTHON`: which functions of DuckDB give the same values on Spark.

Each expression is computed over the same few rows by DuckDB, and by Spark in the words that sqlglot gives it. `PYTHON`
is that of an environment with pyspark (see `tests/support/spark_models.py`). Prints each that differs; exit code 1
where that is one which `lakehouse.models.spark_functions` holds to be the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing

import duckdb
import sqlglot

from lakehouse.models.spark_functions import not_tried

ROWS = """(VALUES (1, 2.5, 'Ann', DATE '2026-01-31', TIMESTAMP '2026-01-31 23:59:59'),
    (2, -2.5, 'Bo 李', DATE '2024-12-30', TIMESTAMP '2024-12-30 00:00:00'), (3, 0.5, '', DATE '2026-03-01', NULL),
    (4, NULL, NULL, NULL, TIMESTAMP '2026-06-15 12:30:00'),
    (5, 7.25, 'ann', DATE '2020-02-29', NULL)) AS t(n, x, s, d, m)"""
EXPRESSIONS = (
    "ceil(x)", "count_if(x > 0)", "day(d)", "month(d)", "year(d)", "quarter(d)", "week(d)", "hour(m)",
    "minute(m)", "sign(x)", "dense_rank() OVER (ORDER BY x)", "first_value(s) OVER (ORDER BY n)",
    "last_value(s) OVER (ORDER BY n)", "nth_value(s, 2) OVER (ORDER BY n)", "ntile(2) OVER (ORDER BY n)",
    "percent_rank() OVER (ORDER BY n)", "cume_dist() OVER (ORDER BY n)", "ln(n)", "log10(n)",
    "starts_with(s, 'A')", "ends_with(s, 'n')", "substring(s, 2, 2)", "upper(s)", "reverse(s)", "repeat(s, 2)",
    "lpad(s, 5, '*')", "rpad(s, 2, '*')", "strpos(s, 'n')", "stddev_samp(n)", "stddev_pop(n)", "var_samp(n)",
    "var_pop(n)", "corr(n, n * n)", "list_contains([n, 2], 2)", "make_date(2026, n, 1)",
    "levenshtein(s, 'Anna')", "json_extract_string(concat('{\"a\":', n, '}'), '$.a')", "quantile_cont(x, 0.25)",
    "mode(s)", "dayname(d)", "monthname(d)", "hash(s)", "extract(dow FROM d)", "ascii(s)", "round(x)",
    "round(x, 1)", "cbrt(n)", "sin(n)", "cos(n)", "degrees(n)", "date_part('hour', m)",
    "date_diff('week', d, DATE '2026-05-05')", "date_diff('month', d, DATE '2026-05-05')",
    "date_diff('hour', m, TIMESTAMP '2026-07-01 00:30:00')", "array_length([n, 2])", "ltrim(s)", "rtrim(s)",
    "md5(s)", "sha256(s)", "epoch(m)", "approx_count_distinct(n)", "product(n)", "bit_count(n)",
    "string_split(s, 'n')[1]",
)  # fmt: skip
# Run by the other environment: a line of JSON an expression
PROGRAM = """
import json, sys
from pyspark.sql import SparkSession
quiet = {"spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
spark = SparkSession.builder.master("local[1]").config(map=quiet).getOrCreate()
spark.sparkContext.setLogLevel("OFF")
for expression, sql in json.load(sys.stdin):
    try:
        cells = [row[0] for row in spark.sql(sql).collect()]
    except Exception as error:
        cells = [str(error).strip().splitlines()[0][:80]]
    print(json.dumps([expression, cells], default=str), flush=True)
"""


def same(ours: list[object], theirs: list[object]) -> bool:
    """Return whether two engines gave the same cells, in any order, numbers to nine digits."""

    def cells(listed: list[object]) -> list[str]:
        return sorted(str(round(float(each), 9)) if _is_number(each) else str(each) for each in listed)

    return cells(ours) == cells(theirs)


def _is_number(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return False
    return not isinstance(cell, bool) and cell is not None


def main(python: str) -> int:
    """Print what differs; return 1 where one of these is held to be the same."""
    asked, ours = [], {}
    with closing(duckdb.connect()) as con:
        for expression in EXPRESSIONS:
            sql = f"SELECT {expression} AS value FROM {ROWS}"
            ours[expression] = json.loads(
                json.dumps([row[0] for row in con.execute(sql).fetchall()], default=str)
            )
            asked.append([expression, sqlglot.parse_one(sql, dialect="duckdb").sql("spark")])
    done = subprocess.run(
        [python, "-c", PROGRAM], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    wrong = 0
    for line in done.stdout.splitlines():
        expression, theirs = json.loads(line)
        untried = not_tried(sqlglot.parse_one(f"SELECT {expression}", dialect="duckdb"))
        if not same(ours[expression], theirs):
            wrong += not untried
            mark = "" if untried else "HELD TO BE THE SAME: "
            sys.stdout.write(f"{mark}{expression}: {ours[expression]}, on Spark {theirs}\n")
        elif untried:
            sys.stdout.write(f"the same, and not listed: {expression} ({', '.join(untried)})\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
