"""Are people's models right, before one runs: their files, their SQL over empty tables, their unit tests."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from lakehouse.definitions import nearest
from lakehouse.engine import duck
from lakehouse.errors import Terminal
from lakehouse.models import registry, unit_tests
from lakehouse.models.given_rows import GivenRows
from lakehouse.models.model_file import column_problems
from lakehouse.models.spark_sql import not_on_spark
from lakehouse.sources import definition

if TYPE_CHECKING:
    from collections.abc import Collection

    from lakehouse.models.model import Model
    from lakehouse.models.registry import Models
    from lakehouse.models.unit_tests import Tested
    from lakehouse.settings import Settings


@dataclass(frozen=True)
class Checked:
    """What came of one model: `problem` is empty where nothing is wrong with it.

    `warning` says of people's own models what Spark may not compute the same.
    """

    table: str
    problem: str = ""
    warning: str = ""


def check_models(settings: Settings, tables: Collection[str] = ()) -> list[Checked]:
    """Check the models of all tables, or of those of `tables`, over empty inputs; wrong files come first.

    Those that read a table whose file is wrong wait for it, and are left out.

    Raises `Terminal` for a table that no model fills.
    """
    models = registry.load(settings.definitions)
    check_names(models, tables)
    checked = [
        Checked(table, reason) for table, reason in models.wrong.items() if not tables or table in tables
    ]
    with closing(duck.connect(settings, iceberg=False, threads=1)) as con:
        lake = GivenRows(con, models, definition.load(settings.definitions).values())
        checked += [
            Checked(model.table, _problem(con, lake, model, settings), _warning(model))
            for model in _readable(models)
            if not tables or model.table in tables
        ]
    return checked


def run_unit_tests(settings: Settings, tables: Collection[str] = ()) -> list[Tested]:
    """Run the unit tests of all models, or of those that fill `tables`; of a test that is wrong, say what is."""
    models = registry.load(settings.definitions)
    check_names(models, tables)
    tests, wrong = unit_tests.load(settings.definitions)
    tested = [
        unit_tests.Tested(table, "", reason) for table, reason in {**wrong, **_stray(tests, models)}.items()
    ]
    with closing(duck.connect(settings, iceberg=False, threads=1)) as con:
        lake = GivenRows(con, models, definition.load(settings.definitions).values())
        for model in _readable(models):
            asked = model.table in tests and (not tables or model.table in tables)
            listed = tests[model.table].tests if asked else ()
            tested += [unit_tests.run(con, lake, model, test) for test in listed]
    return [each for each in tested if not tables or each.table in tables]


def _readable(models: Models) -> list[Model]:
    """Return the models whose inputs are all known: none of them is a table whose file is wrong."""
    stopped = models.stopped()
    return [model for model in models.in_order if model.table not in stopped]


def _stray(tests: Collection[str], models: Models) -> dict[str, str]:
    known = models.by_table.keys() | models.wrong.keys()
    return {table: "no model fills this table" for table in tests if table not in known}


def check_names(models: Models, tables: Collection[str]) -> None:
    """Raise `Terminal` for a table that no model fills, with the names that are near."""
    known = models.by_table.keys() | models.wrong.keys()
    for table in tables:
        if table not in known:
            raise Terminal(
                f"no model fills {table}{nearest(table, sorted(known), shown_by='lakehouse models list')}"
            )


def _warning(model: Model) -> str:
    """Return what Spark may compute otherwise of a model that people wrote, where its header does not say so."""
    is_own = model.where.endswith(".sql") and model is not registry.shipped().get(model.table)
    lacking = not_on_spark(model) if is_own and model.only_on != "duckdb" else []
    if not lacking:
        return ""
    return (
        f"{model.where}: Spark lacks, or may compute otherwise: {', '.join(lacking)}; "
        "where that does not matter, say `only_on: duckdb` in the header"
    )


def _problem(con: duckdb.DuckDBPyConnection, lake: GivenRows, model: Model, settings: Settings) -> str:
    """Return what DuckDB says of a model's SQL and audits over empty tables; empty where it has no objection."""
    lake.make_inputs(model, {}, settings.as_of_day(), settings.time_zone)
    try:
        yielded = tuple(row[0] for row in con.execute(f"DESCRIBE {model.sql}").fetchall())
        if problems := column_problems(model.contract, yielded):
            return f"{model.where}: {'; '.join(map(str, problems))}"
        con.execute(lake.rows_sql(model))
        for audit in model.audits:
            con.execute(f"SELECT NOT ({audit.condition}) FROM ({lake.rows_sql(model)})")
    except duckdb.Error as error:
        line = duck.sql_error_line(error)
        return f"{model.where}: {duck.sql_error_text(error)}" + (f" (line {line})" if line else "")
    return ""
