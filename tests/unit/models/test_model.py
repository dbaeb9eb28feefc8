"""What a model is: its version changes with all that decides its rows, and its SELECT has the contract's columns."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import duckdb
import pytest

from lakehouse.engine import sql_functions, user_agents
from lakehouse.models.model import Appended, Audit, ByGrain, Model
from lakehouse.tables.contract import Contract, columns

TABLE = Contract(
    name="marts.mine",
    doc="Mine",
    grain="one row a customer",
    key=("customer_id",),
    columns=columns(
        ("customer_id", "string", "Customer"), ("spent", "decimal(18,2)", "Spent"), ("n", "long", "N")
    ),
)
VIEW = Model(replace(TABLE, name="core.seen"), ("raw.events",), "SELECT 1 AS n", view=True)
MODEL = Model(
    TABLE,
    ("core.orders",),
    "SELECT 1 AS n, 2.5 AS spent, 7 AS customer_id",
    audits=(Audit("positive", "n > 0"),),
    incremental=ByGrain("customer_id", {"core.orders": "customer_id"}),
    views=(VIEW,),
)


@pytest.mark.parametrize(
    "changes",
    [
        {"sql": "SELECT 2 AS n, 2.5 AS spent, 7 AS customer_id"},
        {"contract": replace(TABLE, columns=columns(("customer_id", "string", "C"), ("n", "long", "N")))},
        {"contract": replace(TABLE, columns=(*TABLE.columns[:2], *columns(("n", "int", "N"))))},
        {"contract": replace(TABLE, columns=TABLE.columns[::-1])},
        {"audits": ()},
        {"audits": (Audit("positive", "n >= 0"),)},
        {"unique_key": True},
        {"incremental": None},
        {"incremental": Appended("core.orders")},
        {"incremental": ByGrain("customer_id", {})},
        {"views": ()},
        {"views": (replace(VIEW, sql="SELECT 2 AS n"),)},
    ],
)
def test_what_decides_the_rows_changes_the_version(changes: dict) -> None:
    """They are then computed anew."""
    assert replace(MODEL, **changes).version != MODEL.version


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sql": f"\n{MODEL.sql}\n\n"},
        {"where": "marts/mine.sql"},
        {"star": True},
        {"contract": replace(TABLE, doc="Words", zh="字")},
        {"contract": replace(TABLE, columns=tuple(replace(each, doc="Words") for each in TABLE.columns))},
        {"views": (replace(VIEW, where="core/seen.sql"),)},
    ],
)
def test_words_about_a_model_do_not(changes: dict) -> None:
    """Whoever mends a doc waits for nothing."""
    assert replace(MODEL, **changes).version == MODEL.version


def test_rows_have_the_columns_of_the_contract() -> None:
    """In its order and with its types, whatever the order of the SELECT, also behind a comment at its end."""
    model = replace(MODEL, sql=f"{MODEL.sql} -- all of them")
    with closing(duckdb.connect()) as con:
        answer = con.execute(model.rows_sql)
        assert [column[0] for column in answer.description] == ["customer_id", "spent", "n"]
        assert answer.fetchall() == [("7", Decimal("2.50"), 1)]


def test_a_column_that_the_select_lacks_is_an_error() -> None:
    """And not a row of nulls."""
    model = replace(MODEL, sql="SELECT 1 AS n, 7 AS customer_id")
    with closing(duckdb.connect()) as con, pytest.raises(duckdb.BinderException, match="spent"):
        con.execute(model.rows_sql)


def test_a_model_reads_tables_and_views() -> None:
    assert MODEL.table == "marts.mine"
    assert MODEL.reads == ("core.orders", "core.seen")
    assert replace(MODEL, views=()).reads == ("core.orders",)


def test_inputs_are_told_apart_by_how_they_say_a_grain() -> None:
    """Each of them is of one kind; an expression stands in brackets."""
    of = {
        "core.orders": "customer_id",
        "core.deals": "a || b",
        "raw.events": ("user_id", "anonymous_id"),
        "core.lines": {"core.orders": "order_id"},
    }
    made = ByGrain("customer_id", of)
    assert made.direct == {"core.orders": "(customer_id)", "core.deals": "(a || b)"}
    assert made.of_people == {"raw.events": ("user_id", "anonymous_id")}
    assert made.joined == {"core.lines": {"core.orders": "order_id"}}


@pytest.mark.parametrize(
    ("sql", "functions"),
    [("SELECT user_agent_facts(x) AS n", user_agents), ("SELECT address_host(x) AS n", sql_functions)],
)
def test_a_function_that_answers_otherwise_changes_the_version(monkeypatch, sql: str, functions) -> None:
    """Of a model that calls it, also in a view that it reads, and of no other."""
    calling = (replace(MODEL, sql=sql), replace(MODEL, views=(replace(VIEW, sql=sql),)))
    before = [model.version for model in (*calling, MODEL)]
    monkeypatch.setattr(functions, "version", lambda: "another")
    after = [model.version for model in (*calling, MODEL)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, False, True]
