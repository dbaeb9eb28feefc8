"""Which shipped models give the same rows on Spark is written in docs/engines.md, and their headers say the same.

The page's table comes from `python -m tests.support.spark_models`, which runs both engines. Here nothing is run:
a model that was the same there must not come to ask for what Spark lacks, and one that does must say so.
"""

from __future__ import annotations

import re

import pytest
import sqlglot

from benchmarks import marts_lake as lakes
from lakehouse.models import registry
from lakehouse.models.given_rows import column_types
from lakehouse.models.spark_sql import not_on_spark, spark_sql
from lakehouse.sources import definition
from tests.support.engines import PAGE
from tests.support.spark_models import SIZE, VARIABLES

GIVEN = lakes.inputs(SIZE)  # what the lake that is compared begins with
MODELS = {
    model.table: model
    for model in registry.load().in_order
    if model.table not in GIVEN and not any(name.startswith("mapped.") for name in model.inputs)
}
TYPES = column_types(registry.load(), definition.load().values())


def _listed(said: str) -> set[str]:
    [row] = re.findall(rf"^\| {said} \|.*$", PAGE.read_text("utf-8"), re.MULTILINE)
    return set(re.findall(r"`([a-z_.]+)`", row))


def test_a_header_says_of_each_model_that_is_not_the_same_on_spark() -> None:
    """`only_on: duckdb`: what the page lists as other rows, or as not run; and of no other one."""
    assert {name for name, model in MODELS.items() if model.only_on} == _listed("other rows") | _listed(
        "not run"
    )


def test_what_asks_for_more_than_spark_has_says_so() -> None:
    """Functions of ours, `ASOF JOIN`, recursion, unions by name, aggregates in an order."""
    lacking = {name: found for name, model in MODELS.items() if (found := not_on_spark(model))}
    assert {name: found for name, found in lacking.items() if not MODELS[name].only_on} == {}
    assert lacking["marts.sessions"][0] == "ASOF JOIN"
    assert lacking["core.user_agents"] == ["user_agent_facts()"]


@pytest.mark.parametrize("table", sorted(_listed("equal")))
def test_what_is_the_same_on_spark_has_words_there(table) -> None:
    """And Spark's words are whole: they are read again, and no star leaves columns out."""
    sql = spark_sql(MODELS[table], TYPES, VARIABLES)
    words = sqlglot.parse_one(sql, dialect="spark")
    assert "getvariable" not in sql
    assert not [
        star
        for star in words.find_all(sqlglot.exp.Star)
        if star.args.get("except_") or star.args.get("replace")
    ]
