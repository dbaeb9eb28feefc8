"""The statements by which an engine computes the models, in order: to read, and to run them elsewhere than here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from lakehouse.engine.escape import literal
from lakehouse.models import registry
from lakehouse.models.given_rows import column_types
from lakehouse.models.inputs import AS_OF, MAPPED, TIME_ZONE
from lakehouse.models.spark_sql import SPARK, not_on_spark, spark_sql
from lakehouse.sources import definition
from lakehouse.stages.check_models import check_names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lakehouse.models.model import Model
    from lakehouse.settings import Settings

Dialect = Literal["duckdb", "spark"]


@dataclass(frozen=True)
class Statement:
    """How one model is computed: `sql` without a semicolon, or `why_not`, why the engine cannot."""

    table: str
    sql: str = ""
    why_not: str = ""

    def as_text(self) -> str:
        """Return it as a part of a script: what cannot be computed is a comment."""
        return f"{self.sql};" if self.sql else f"-- {self.table} is left to DuckDB: {self.why_not}"


def statements(
    settings: Settings, tables: Collection[str] = (), dialect: Dialect = "duckdb"
) -> list[Statement]:
    """Return the statements of the models of all tables, or of those of `tables`, in the order in which they are run.

    In the words of DuckDB each is the SELECT of the rows; in those of Spark the one that replaces the rows of the table
    of that name in the current catalog by them, or makes the view. Day and zone are those of the settings.

    Raises `Terminal` for a table that no model fills, BadDefinition for one whose file is wrong.
    """
    models = registry.load(settings.definitions)
    check_names(models, tables)
    types = column_types(models, definition.load(settings.definitions).values())
    variables = {
        AS_OF: f"DATE {literal(settings.as_of_day().isoformat())}",
        TIME_ZONE: literal(settings.time_zone),
    }
    chosen = [model for model in models.in_order if not tables or model.table in tables]
    if dialect == SPARK:
        return [_for_spark(model, types, variables) for model in chosen]
    return [Statement(model.table, _for_duckdb(model, variables)) for model in chosen]


def _for_spark(
    model: Model, types: Mapping[str, Mapping[str, str]], variables: Mapping[str, str]
) -> Statement:
    if any(name.startswith(f"{MAPPED}.") for name in model.inputs):
        return Statement(model.table, why_not="it is made of what the sources' mappings give")
    lacking = not_on_spark(model)
    if lacking or model.only_on == "duckdb":
        return Statement(model.table, why_not=", ".join(lacking) or "its header says so")
    rows = spark_sql(model, types, variables, pretty=True)
    if model.view:
        return Statement(model.table, f"CREATE OR REPLACE VIEW {model.table} AS\n{rows}")
    columns = ", ".join(column.name for column in model.contract.columns)
    return Statement(model.table, f"INSERT OVERWRITE {model.table} ({columns})\n{rows}")


def _for_duckdb(model: Model, variables: Mapping[str, str]) -> str:
    sql = replace(model, sql=model.sql.strip()).rows_sql
    for name, value in variables.items():
        sql = sql.replace(f"getvariable('{name}')", value)
    return sql
