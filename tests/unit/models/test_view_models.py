"""Models that write nothing: who reads one reads the tables behind it, in the same look."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lakehouse
from lakehouse.errors import BadDefinition
from lakehouse.models import registry, runner
from lakehouse.models.model_file import parse
from lakehouse.stages import analyst_sql
from lakehouse.tables import catalog as catalogs
from tests.support.small_company import SmallCompany, forget

VIEW = """/*
doc: Paid orders
kind: view
grain: one row an order
key: [order_id]
columns:
  - {name: order_id, doc: Order}
  - {name: day, type: date, doc: Day}
*/
SELECT order_id, ordered_on AS day FROM core.order_values WHERE is_order
"""
READER = """/*
doc: Orders a day
grain: one row a day
key: [day]
columns:
  - {name: day, type: date, doc: Day}
  - {name: orders, type: long, doc: Orders}
*/
SELECT day, count(*) AS orders FROM core.paid GROUP BY day
"""


@pytest.fixture
def company(lake, tmp_path, monkeypatch) -> SmallCompany:
    """A lake with one view of people's own, and a table that reads it."""
    folder = tmp_path / "definitions"
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(folder))
    for name, text in (("core/paid.sql", VIEW), ("marts/paid_days.sql", READER)):
        (folder / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "models" / name).write_text(text, "utf-8")
    forget()
    return SmallCompany({})


def orders(company: SmallCompany, *numbers: str) -> None:
    rows = [
        {"source": "s", "order_id": number, "ordered_on": "2026-01-01", "is_order": True}
        for number in numbers
    ]
    company.fill("core.order_values", *rows)


def replace(company: SmallCompany, name: str, old: str, new: str) -> None:
    file = company.settings.definitions / "models" / name
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    registry._load_files.cache_clear()


ONLY = ("core.paid", "marts.paid_days")
SHIPPED = Path(lakehouse.__file__).parent / "models/sql/core/order_values.sql"


def test_a_view_is_never_run_and_its_reader_follows_what_is_behind_it(company):
    """No table of its name is made; another row behind it makes the reader stale, and so does another SELECT."""
    orders(company, "A", "B")
    assert runner.pending(company.settings, only=ONLY) == ["marts.paid_days"]
    assert [each.table for each in runner.run(company.settings, only=ONLY).committed] == ["marts.paid_days"]
    assert company.ask("SELECT orders FROM marts.paid_days") == [(2,)]
    assert runner.pending(company.settings, only=ONLY) == []
    assert "core.paid" not in catalogs.table_names(catalogs.open_catalog(company.settings))
    orders(company, "A", "B", "C")
    assert runner.pending(company.settings, only=ONLY) == ["marts.paid_days"]
    runner.run(company.settings, only=ONLY)
    replace(company, "core/paid.sql", "WHERE is_order", "WHERE is_order AND order_id <> 'A'")
    assert runner.pending(company.settings, only=ONLY) == ["marts.paid_days"]
    runner.run(company.settings, only=ONLY)
    assert company.ask("SELECT orders FROM marts.paid_days") == [(2,)]


def test_people_ask_a_view_by_its_name(company):
    """Alone, with all tables, and among others; what is behind it is opened for it."""
    orders(company, "A")
    for question in ("SELECT order_id FROM core.paid", "SELECT order_id FROM core.paid, (SELECT 1)"):
        assert analyst_sql.answer(company.settings, question).fetchall() == [("A",)]
    assert analyst_sql.connect(company.settings).execute("SELECT order_id FROM core.paid").fetchall() == [
        ("A",)
    ]


def test_a_table_of_its_name_from_before_is_not_shown(company):
    """A model that became a view leaves its table, and its rows are old."""
    orders(company, "A")
    replace(company, "core/paid.sql", "kind: view\n", "")
    runner.run(company.settings, only=ONLY)
    replace(company, "core/paid.sql", "doc: Paid orders\n", "doc: Paid orders\nkind: view\n")
    orders(company, "A", "B")
    answer = analyst_sql.answer(company.settings, "SELECT count(*) FROM core.paid")
    assert answer.fetchall() == [(2,)]


def test_a_wrong_view_stops_its_readers_and_nobody_else(company):
    """By its file, or by what DuckDB says of it; questions of other tables are answered."""
    orders(company, "A")
    replace(company, "core/paid.sql", "FROM core.order_values", "FROM core.no_such")
    models = registry.load(company.settings.definitions)
    assert set(models.wrong) == {"core.paid"}
    assert models.stopped() == {"core.paid", "marts.paid_days"}
    replace(
        company, "core/paid.sql", "FROM core.no_such WHERE is_order", "FROM core.order_values WHERE no_such"
    )
    outcome = runner.run(company.settings, only=ONLY)
    assert len(outcome.wrong) == 1
    assert "no_such" in outcome.wrong[0]
    con = analyst_sql.connect(company.settings)
    assert con.execute("SELECT count(*) FROM core.order_values").fetchall() == [(1,)]


def test_views_that_read_each_other_are_a_circle(company):
    """As tables that do."""
    replace(company, "core/paid.sql", "FROM core.order_values WHERE is_order", "FROM marts.round")
    (company.settings.definitions / "models/marts/round.sql").write_text(
        VIEW.replace("FROM core.order_values WHERE is_order", "FROM core.paid").replace(
            "ordered_on AS day", "day"
        ),
        "utf-8",
    )
    replace(company, "core/paid.sql", "ordered_on AS day", "day")
    wrong = registry.load(company.settings.definitions).wrong
    assert set(wrong) == {"core.paid", "marts.round"}
    assert "circle" in wrong["core.paid"]


def test_views_of_views_ask_for_all_that_is_behind_them():
    """Tables, and day and zone."""
    models = registry.load().by_table
    items = models["core.fct_order_items"]
    assert items.inputs == ("core.order_values", "core.products", "core.sales_ledger")
    assert [view.table for view in items.views] == ["core.dim_product"]
    assert models["core.fct_activities"].time_zone


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("grain:", "sort: [day]\ngrain:", "sort: a view writes no rows"),
        ("grain:", "audits: [{name: a, condition: 'true'}]\ngrain:", "audits: a view writes no rows"),
        ("grain:", "incremental: {by: order_id, of: {core.order_values: order_id}}\ngrain:", "incremental: a view"),
        ("FROM core.order_values", "FROM mapped.orders", "reads mapped.orders: a view reads tables and views"),
        ("kind: view", "kind: glimpse", "kind: Input should be 'table' or 'view'"),
    ],
)  # fmt: skip
def test_what_a_view_cannot_be(old, new, says):
    """Said when the file is read."""
    with pytest.raises(BadDefinition, match=says):
        parse(VIEW.replace(old, new, 1), "core/paid.sql")


def test_who_is_computed_in_part_reads_no_view(company):
    """A view does not say whose its rows are."""
    replace(
        company, "marts/paid_days.sql", "columns:", "incremental: {by: day, of: {core.paid: day}}\ncolumns:"
    )
    assert "core.paid is a view" in registry.load(company.settings.definitions).wrong["marts.paid_days"]


def test_models_may_read_scores_but_not_what_scores_read(company):
    """Else each look would compute both anew."""
    replace(company, "core/paid.sql", "ordered_on AS day FROM core.order_values WHERE is_order",
            "as_of AS day FROM (SELECT customer_id AS order_id, as_of FROM marts.clv)")  # fmt: skip
    assert registry.load(company.settings.definitions).wrong == {}
    shipped = registry.shipped()["core.order_values"]
    said = SHIPPED.read_text("utf-8").partition("/*")[2].partition("*/")[0]
    header = "/*" + re.sub(r"(?ms)^incremental:.*?(?=^audits:)", "", said) + "*/"
    nulls = ", ".join(f"NULL AS {column.name}" for column in shipped.contract.columns)
    file = company.settings.definitions / "models/core/order_values.sql"
    file.write_text(f"{header}\nSELECT {nulls} FROM marts.clv WHERE false\n", "utf-8")
    wrong = registry.load(company.settings.definitions).wrong
    assert "circle" in wrong["core.order_values"]
    assert "marts.clv" in wrong["core.order_values"]
