"""`python -m tests.support.spark_models PYTHON`: which shipped models give the same rows on Spark.

Each model's SQL is computed by DuckDB over the small lake of the benchmarks, and by Spark over the same inputs, put
into its words by sqlglot. `PYTHON` is that of an environment with pyspark, too large for everybody's; it needs Java.
Prints the table of docs/engines.md, and what Spark says of each model that does not run; exit code 1 where the page has
another table.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import duckdb

from benchmarks import marts_lake as lakes
from lakehouse.engine import sql_functions, user_agents
from lakehouse.models import registry
from lakehouse.models.given_rows import column_types
from lakehouse.models.spark_sql import spark_sql
from lakehouse.sources import definition
from lakehouse.tables import views
from lakehouse.tables.catalog import NAMESPACES
from tests.support.engines import PAGE

SIZE = lakes.Size(events=6_000, orders=600, customers=60)
VARIABLES = {"as_of": "DATE '2026-02-05'", "time_zone": "'UTC'"}
# Run by the other environment: a line of JSON a model
PROGRAM = """
import json, sys
from pyspark.sql import SparkSession
folder = sys.argv[1]
given = json.load(open(folder + "/models.json"))
quiet = {"spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "1", "spark.ui.enabled": "false",
    "spark.sql.warehouse.dir": folder + "/spark", "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1", "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED"}
spark = SparkSession.builder.master("local[1]").config(map=quiet).getOrCreate()
spark.sparkContext.setLogLevel("OFF")
for namespace in {name.partition(".")[0] for name in given["tables"]}:
    spark.sql("create database if not exists " + namespace)
for name in given["tables"]:
    spark.sql(f"create table {name} using parquet location '{folder}/{name}.parquet'")
def rows(frame):
    kinds = dict(frame.dtypes)  # Python has no moment before the year 1, and Spark's text of one is as good
    cell = lambda name: f"cast({name} as string) {name}" if kinds[name][:4] in ("time", "date") else name
    frame = frame.selectExpr(*map(cell, frame.columns))
    cells = lambda row: tuple(round(each, 9) if isinstance(each, float) else str(each) for each in row)
    return sorted(map(cells, frame.collect()), key=str)
for table, sql in given["models"].items():
    try:
        frame = spark.sql(sql)
        said = "equal" if rows(frame) == rows(spark.table(table).select(frame.columns)) else "other rows"
        why = ""
    except Exception as error:
        lines = str(error).strip().splitlines()
        cause = [line for line in lines if line.startswith("Caused by")]
        said, why = "not run", " ".join([lines[0], *cause[-1:]])[:300]
    print(json.dumps([table, said, why]), flush=True)
"""


def compute(folder: Path) -> dict[str, int]:
    """Compute every model by DuckDB, and write all tables and the SQL for Spark; return how many rows each has."""
    models = registry.load()
    types = column_types(models, definition.load().values())
    counts: dict[str, int] = {}
    statements: dict[str, str] = {}
    with closing(duckdb.connect()) as con:
        con.execute("SET ieee_floating_point_ops = false; SET TimeZone = 'UTC'")
        sql_functions.create(con)
        for namespace in (*NAMESPACES, "mapped"):
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {namespace}")
        for name, value in VARIABLES.items():
            con.execute(f"SET VARIABLE {name} = {value}")
        made: list[str] = []

        def make(name: str, sql: str) -> None:
            given = [row[0] for row in con.execute(f"DESCRIBE {sql}").fetchall()]
            cells = ", ".join(
                f"CAST({column if column in given else 'NULL'} AS {kind}) AS {column}"
                for column, kind in types[name].items()
            )
            con.execute(f"CREATE TABLE {name} AS SELECT {cells} FROM ({sql})")
            made.append(name)

        for name, sql in lakes.inputs(SIZE).items():
            make(name, sql)
        con.execute(views.EVENTS)
        made.append("core.events")
        for model in models.in_order:
            for name in {*model.inputs, model.table} - {*made}:
                mapped = any(each.startswith("mapped.") for each in model.inputs)
                if name != model.table or mapped:
                    make(name, "SELECT NULL AS nothing WHERE false")
            if model.table in made:
                continue
            user_agents.create_for(con, model.sql)
            con.execute(f"CREATE TABLE {model.table} AS {model.rows_sql}")
            made.append(model.table)
            statements[model.table] = spark_sql(model, types, VARIABLES)
            [(counts[model.table],)] = con.execute(f"SELECT count(*) FROM {model.table}").fetchall()
        for name in made:
            con.execute(f"COPY (FROM {name}) TO '{folder}/{name}.parquet'")
    (folder / "models.json").write_text(json.dumps({"tables": made, "models": statements}), "utf-8")
    return counts


def table(found: dict[str, str], counts: dict[str, int]) -> str:
    """Return the table of the page: by what came of them, the models with rows and those without."""
    lines = [
        "| on Spark | models that have rows in that lake | models that have none |",
        "| --- | --- | --- |",
    ]
    for said in ("equal", "other rows", "not run"):
        names: tuple[list[str], list[str]] = ([], [])
        for name in sorted(each for each, what in found.items() if what == said):
            names[not counts[name]].append(f"`{name}`")
        lines.append(f"| {said} | {' '.join(names[0]) or '–'} | {' '.join(names[1]) or '–'} |")
    return "\n".join(lines)


def main(python: str) -> int:
    """Print the table; return 1 where the page has another."""
    with tempfile.TemporaryDirectory() as name:
        counts = compute(Path(name))
        done = subprocess.run([python, "-c", PROGRAM, name], capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    found = {name: said for name, said, _ in answers}
    sys.stderr.writelines(f"{name}: {why}\n" for name, _, why in answers if why)
    shown = table(found, counts)
    sys.stdout.write(f"{shown}\n")
    return int(shown not in PAGE.read_text("utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
