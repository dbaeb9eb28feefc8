"""Models run on a lake of one SQLite file, when something that they read has changed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pytest

from lakehouse.books import balance
from lakehouse.models import computing, runner
from lakehouse.models.policy import ModelPolicy
from lakehouse.tables import catalog as catalogs
from tests.support.model_cases import own_model
from tests.support.small_company import SmallCompany, forget

VALUES = ["core.home_currency", "core.home_rates", "core.sales", "core.refunds", "core.order_values"]


@pytest.fixture
def tables(lake, monkeypatch) -> SmallCompany:
    """A lake where orders were computed already; nobody sent anything else."""
    monkeypatch.setenv("LAKEHOUSE_AS_OF", "2026-01-31")
    forget()
    company = SmallCompany({})
    orders(company, 1)
    return company


def orders(company: SmallCompany, count: int) -> None:
    company.fill(
        "core.orders",
        *(
            {"source": "shop", "order_id": f"O{n}", "amount": Decimal(10), "currency": "USD",
             "ordered_at": datetime(2026, 1, 5, tzinfo=UTC)}
            for n in range(count)
        ),
    )  # fmt: skip


def run(company: SmallCompany) -> list[str]:
    """Run what is stale; return the tables that changed.

    `pending` must have named them, in this order, and those that came out as they were; it may name more, which
    read these alone. Nothing is pending afterwards.
    """
    pending = runner.pending(company.settings)
    outcome = runner.run(company.settings)
    changed = [committed.table for committed in outcome.committed]
    assert [table for table in pending if table in changed] == changed
    assert set(outcome.unchanged) <= set(pending)
    assert runner.pending(company.settings) == []
    return changed


def define(monkeypatch, folder, select: str) -> int:
    """Have a model of core.home_currency of one's own; return how many lines stand before its SELECT."""
    lines = own_model(folder, "core.home_currency", select)
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(folder))
    forget()
    return lines


def test_an_empty_lake_computes_nothing(lake):
    """Rows computed from nothing would say that nobody is a customer."""
    assert run(SmallCompany({})) == []


def test_a_model_runs_when_its_inputs_changed_and_only_then(tables):
    """Inputs before those who read them."""
    first = run(tables)
    assert set(VALUES) < set(first)
    assert first.index("core.home_currency") < first.index("core.order_values")
    assert run(tables) == []
    orders(tables, 2)
    assert "core.order_values" in run(tables)
    assert tables.ask("select count(*), sum(value) from core.order_values") == [(2, Decimal(20))]


def test_what_spark_fills_is_left_to_it(tables, monkeypatch, tmp_path):
    """`only_on: spark`: nothing is computed here, and who reads the table follows what somebody else wrote there."""
    run(tables)
    own_model(tmp_path, "core.home_currency")
    path = tmp_path / "models/core/home_currency.sql"
    path.write_text(path.read_text("utf-8").replace("\ngrain:", "\nonly_on: spark\ngrain:"), "utf-8")
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    forget()
    orders(tables, 2)
    assert "core.order_values" in run(tables)
    assert tables.ask("select currency, orders from core.home_currency") == [("USD", 1)]
    tables.fill("core.home_currency", {"currency": "EUR", "orders": 2, "deals": 0})
    assert "core.order_values" in run(tables)
    assert tables.ask("select count(*), count(value) from core.order_values") == [(2, 0)]


def test_wrong_sql_blocks_the_models_that_read_it_and_no_others(tables, monkeypatch, tmp_path):
    """They keep the rows that they have."""
    run(tables)
    orders(tables, 2)
    define(monkeypatch, tmp_path, "SELECT nonsense AS currency, 0 AS orders, 0 AS deals FROM core.orders")
    outcome = runner.run(tables.settings)
    assert [text.partition(":")[0] for text in outcome.wrong] == ["core/home_currency.sql"]
    assert not {committed.table for committed in outcome.committed} & set(VALUES)
    assert tables.ask("select count(*) from core.order_values") == [(1,)]


@pytest.mark.parametrize(
    ("currency", "line", "says"),
    [
        ("\n  nonsense", 2, "Binder Error: Referenced column .nonsense. .*"),
        ("\n  CAST(source AS INTEGER)", 2, "ConversionException for a value of some row.*"),
        ("error(source)", 0, "InvalidInputException for a value of some row.*"),
        ("9223372036854775807 + CAST(amount AS BIGINT)", 0, "OutOfRangeException for a value of some row.*"),
        ("(SELECT source FROM core.orders)", 0, "InvalidInputException for a value of some row.*"),
        ("(SELECT len(list(repeat(source, 9999999))) FROM range(99))", 0, "OutOfMemoryException: it needs .*"),
    ],
)  # fmt: skip
def test_whatever_duckdb_raises_stops_only_those_that_read_the_model(
    tables, monkeypatch, tmp_path, currency, line, says
):
    """It is named by file, line and reason, without a value of a row; the models after it are computed."""
    run(tables)
    orders(tables, 2)
    monkeypatch.setenv("LAKEHOUSE_MEMORY_LIMIT", "200MB")
    select = f"SELECT {currency} AS currency, 0 AS orders, 0 AS deals FROM core.orders"
    lines = define(monkeypatch, tmp_path, select)
    outcome = runner.run(tables.settings)
    [wrong] = outcome.wrong
    where = f" (line {lines + line})" if line else ""
    assert re.fullmatch(rf"core/home_currency\.sql: {says}{re.escape(where)}", wrong), wrong
    assert "shop" not in wrong
    assert tables.ask("select count(*) from core.order_values") == [(1,)]
    assert noted(tables) == {"core.home_currency": wrong}
    define(monkeypatch, tmp_path, "SELECT 'EUR' AS currency, 0 AS orders, 0 AS deals")
    assert runner.run(tables.settings).wrong == []
    assert tables.ask("select count(*) from core.order_values") == [(2,)]
    assert noted(tables) == {}


def noted(company: SmallCompany) -> dict[str, str]:
    """What `status` says of the models of all tables."""
    catalog = catalogs.open_catalog(company.settings)
    described = {
        name: balance.describe(catalogs.load(catalog, name)) for name in catalogs.table_names(catalog)
    }
    return {name: table["wrong"] for name, table in described.items() if "wrong" in table}


def test_a_model_that_runs_for_ever_is_stopped_and_named(tables, monkeypatch, tmp_path):
    """It keeps its rows, and the next one is computed on another connection."""
    run(tables)
    orders(tables, 2)
    endless = (
        "WHERE EXISTS (SELECT 1 FROM range(9999999) AS a, range(9999999) AS b WHERE a.range + b.range < 0)"
    )
    define(
        monkeypatch, tmp_path, f"SELECT 'EUR' AS currency, 0 AS orders, 0 AS deals FROM core.orders {endless}"
    )
    with monkeypatch.context() as hasty:
        hasty.setattr(ModelPolicy, "longest_seconds", 1)
        [wrong] = runner.run(tables.settings, only=["core.home_currency"]).wrong
    assert wrong.startswith("core/home_currency.sql: it takes longer than 1 seconds")
    assert tables.ask("select currency from core.home_currency") == [("USD",)]
    assert noted(tables) == {"core.home_currency": wrong}


def test_a_wrong_file_that_is_taken_away_is_wrong_no_longer(tables, monkeypatch, tmp_path):
    """Though its table has nothing to compute."""
    run(tables)
    define(monkeypatch, tmp_path, "SELECT nonsense AS currency, 0 AS orders, 0 AS deals FROM core.orders")
    assert len(runner.run(tables.settings).wrong) == len(noted(tables)) == 1
    monkeypatch.delenv("LAKEHOUSE_DEFINITIONS")
    forget()
    assert run(tables) == []
    assert noted(tables) == {}


def test_a_connection_that_broke_is_not_used_again(tables, monkeypatch):
    """After some errors DuckDB answers nothing more: the models that do not read the broken one still run."""
    write = computing.data_files.write

    def break_once(con, table, *rest, **named):
        if table.name()[-1] != "daily_activity":
            return write(con, table, *rest, **named)
        con.close()
        raise duckdb.FatalException("the database has been invalidated")

    monkeypatch.setattr(computing.data_files, "write", break_once)
    tables.fill("core.customers", {"customer_id": "ann"})
    outcome = runner.run(tables.settings)
    assert [text.partition(" for")[0] for text in outcome.wrong] == [
        "marts/daily_activity.sql: FatalException"
    ]
    assert "marts.rfm" in {committed.table for committed in outcome.committed} | set(outcome.unchanged)


def test_storage_that_cannot_be_read_is_no_fault_of_a_model(tables, monkeypatch):
    """The run is tried again, instead of naming somebody's SQL."""

    def unreadable(*_, **__):
        raise duckdb.IOException("no answer")

    monkeypatch.setattr(computing.data_files, "write", unreadable)
    with pytest.raises(duckdb.IOException):
        runner.run(tables.settings)


def test_what_comes_while_models_are_computed_is_the_next_look_s(tables, monkeypatch):
    """All models of a run read the tables as they were when it began, and a busy source keeps nobody waiting."""
    show = computing.InputViews.show

    def show_late(self, *arguments):
        orders(tables, 3)
        show(self, *arguments)

    with monkeypatch.context() as busy:
        busy.setattr(computing.InputViews, "show", show_late)
        assert set(VALUES) < {committed.table for committed in runner.run(tables.settings).committed}
    assert tables.ask("select orders from core.home_currency") == [(1,)]
    assert tables.ask("select count(*) from core.order_values") == [(1,)]
    assert set(VALUES) <= set(runner.pending(tables.settings))
    assert "core.order_values" in run(tables)
    assert tables.ask("select count(*) from core.order_values") == [(3,)]
