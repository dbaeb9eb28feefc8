"""Questions pass, and nothing else does: with the stack's own keys, a COPY could write over the lake's files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest

from lakehouse.errors import Terminal
from lakehouse.settings import Settings
from lakehouse.stages.analyst_sql import answer, ask, connect, tables_named


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with one table."""
    con = duckdb.connect()
    con.execute("create schema raw; create table raw.orders as select 'EUR' as currency, 7 as amount")
    yield con
    con.close()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("select amount from raw.orders", [(7,)]),
        ("from raw.orders;", [("EUR", 7)]),
        ("with a as (select 1 as b) select b from a", [(1,)]),
        ("values (1), (2)", [(1,), (2,)]),
        ("pivot raw.orders on currency using sum(amount)", [(7,)]),
        ("/* a remark */ select 1 -- another", [(1,)]),
    ],
)
def test_questions_are_answered(con, question, answer):
    """Whatever DuckDB calls a SELECT, and a PIVOT, though that comes as two statements."""
    assert ask(con, question).fetchall() == answer


CLICKS = {"raw.events", "core.identities"}


@pytest.mark.parametrize(
    ("question", "tables"),
    [
        ("select 1", set()),
        ("from raw.shop_orders order by amount desc", {"raw.shop_orders"}),
        (
            'select "n" from "RAW"."Shop_Orders" join core . orders using (order_id)',
            {"raw.shop_orders", "core.orders"},
        ),
        ("from shop_orders", {"raw.shop_orders"}),  # in whatever schema it may be
        ("select * from core.events", CLICKS),
        ("with orders as (select 1) from orders", {"core.orders"}),  # one more than need be
        ("desc", None),
        ("SHOW all tables", None),
        ("describe", None),
        ("summarize core.orders", None),
        ("select * from core.id_sources", None),
        ("select * from duckdb_views()", None),
        ("from information_schema.tables", None),
        ("from query_table('raw.' || 'shop' || '_orders')", None),
    ],
)
def test_tables_that_a_question_cannot_name_are_not_opened(question, tables):
    """Opening all takes a second; what reads a table without its name in the text opens all of them."""
    assert tables_named(Settings(), question) == tables


def tables_in(con: duckdb.DuckDBPyConnection) -> set[str]:
    rows = con.execute("select schema_name || '.' || view_name from duckdb_views() where not internal")
    return {name for (name,) in rows.fetchall()}


def test_an_answer_opens_what_it_needs(lake):
    """A table that nobody has made is there, empty; the view of events with what it is made of."""
    with closing(answer(lake, "select count(*) from core.orders")) as con:
        assert con.fetchall() == [(0,)]
        assert tables_in(con) == {"core.orders"}
    with closing(answer(lake, "select count(*) from core.events")) as con:
        assert con.fetchall() == [(0,)]
        assert tables_in(con) == {"core.events", *CLICKS}


def test_who_mistypes_a_table_hears_the_nearest_of_all(lake):
    """As when all are open."""
    with closing(connect(lake)) as con, pytest.raises(Terminal) as of_all:
        ask(con, "from core.order")
    with pytest.raises(Terminal) as found:
        answer(lake, "from core.order")
    assert str(found.value) == str(of_all.value)
    assert "orders" in str(found.value)


@pytest.mark.parametrize(
    "question", ["describe raw.orders", "show all tables", "summarize raw.orders", "pragma version"]
)
def test_what_there_is_may_be_asked_too(con, question):
    """DESCRIBE and its like are questions."""
    assert ask(con, question).fetchall()


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1 as x) to '{file}'",
        "attach '{file}' as other",
        "create table t as select 1",
        "create or replace view raw.orders as select 1",
        "insert into raw.orders values ('x', 1)",
        "update raw.orders set amount = 1",
        "delete from raw.orders",
        "drop table raw.orders",
        "truncate raw.orders",
        "explain select 1",
        "explain analyze copy (select 1 as x) to '{file}'",
        "/* explain */ explain analyze copy (select 1 as x) to '{file}'",
        "export database '{file}'",
        "set threads = 1",
        "call pragma_version()",
        "install spatial",
        "load '{file}'",
        "use raw",
        "begin",
        "prepare p as select 1",
        "execute p",
        "from query('copy (select 1 as x) to ''{file}''')",
        "with t as (insert into raw.orders values ('x', 1) returning *) from t",
    ],
)
def test_nothing_can_be_changed(con, tmp_path, statement):
    """Neither the tables nor anything else; each is refused with a reason."""
    with pytest.raises(Terminal):
        ask(con, statement.format(file=tmp_path / "written"))
    assert not (tmp_path / "written").exists()
    assert con.execute("from raw.orders").fetchall() == [("EUR", 7)]


@pytest.mark.parametrize(
    "statements",
    [
        "select 1; copy (select 1) to '{file}'",
        "copy (select 1) to '{file}'; select 1",
        "select 1; select 2",
        "create type t as enum ('a'); select 1",
    ],
)
def test_several_statements_are_refused_before_the_first_is_run(con, tmp_path, statements):
    """A question behind which something else hides is none."""
    with pytest.raises(Terminal, match=r"no question|several statements"):
        ask(con, statements.format(file=tmp_path / "written"))
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("nothing", ["", " \n", "-- a remark", "/* a remark */", ";"])
def test_no_question_is_told_as_such(con, nothing):
    """Rather than answered with nothing."""
    with pytest.raises(Terminal, match="there is no question"):
        ask(con, nothing)


def test_variables_of_the_program_are_no_tables(con):
    """DuckDB would otherwise answer from whatever Python object has that name."""
    secret = [{"key": "value"}]
    with pytest.raises(Terminal, match="secret does not exist"):
        ask(con, "from secret")
    assert secret


def test_errors_are_one_line_with_what_helps(con):
    """What is wrong, what may have been meant, and in which line; without the caret."""
    with pytest.raises(Terminal) as told:
        ask(con, "select\n  amont\nfrom raw.orders")
    line = str(told.value)
    assert "\n" not in line
    assert 'column "amont" not found' in line
    assert '"amount"' in line
    assert "LINE 2:" in line
    assert "^" not in line
