"""Unit tests of models say what is wrong, and pass for no other rows than those expected."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.models import registry, unit_tests
from lakehouse.models.given_rows import GivenRows
from lakehouse.models.unit_tests import UnitTest
from lakehouse.sources import definition

GIVEN = {
    "marts.customer_360": (
        {"customer_id": "ann", "orders": 3, "purchase_days": 3, "revenue": 30, "recency_days": 1},
        {"customer_id": "bob", "orders": 1, "purchase_days": 1, "revenue": "9.5", "recency_days": 9},
        {"customer_id": "cleo", "orders": 0},
    )
}


@pytest.fixture(scope="module")
def lake():
    with duckdb.connect() as con:
        sql_functions.create(con)
        yield con, GivenRows(con, registry.load(), definition.load().values())


def problem(lake, expected, given=GIVEN, table="marts.rfm") -> str:
    con, rows = lake
    test = UnitTest(name="x", given=given, expected=expected)
    return unit_tests.run(con, rows, registry.load().by_table[table], test).problem


ANN, BOB = {"customer_id": "ann", "monetary": 30}, {"customer_id": "bob", "monetary": 9.5}


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        ([ANN, BOB], ""),
        ([BOB, ANN], ""),
        ([{"customer_id": "ann"}, {"customer_id": "bob"}], ""),
        ([ANN], "yielded and not expected: customer_id=bob, monetary=9.50"),
        ([ANN, BOB, BOB], "expected and not yielded: customer_id=bob, monetary=9.50"),
        ([ANN, {"customer_id": "bob"}], "expected and not yielded: customer_id=bob, monetary=None"),
        ([ANN, {"customer_id": "bob", "money": 1}], "the model has no column money"),
        ([ANN, {"customer_id": "bob", "monetary": "much"}], "ConversionException"),
        ([], "yielded and not expected: customer_id=ann"),
    ],
)
def test_rows_are_compared_in_the_columns_that_are_named(lake, expected, says):
    """In any order, each as often as it is there."""
    assert says in (found := problem(lake, expected))
    assert bool(found) is bool(says)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"core.orders": ({"order_id": "1"},)}, ""),
        ({"core.places": ()}, "marts.rfm does not read core.places"),
        ({"marts.customer_360": ({"customer": "ann"},)}, "marts.customer_360 has no column customer"),
        ({"marts.customer_360": ({"orders": "three"},)}, "ConversionException"),
    ],
)
def test_given_rows_are_checked(lake, given, says):
    """A test of rows that nothing reads would prove nothing."""
    assert says in (found := problem(lake, [], given))
    assert bool(found) is bool(says)


def test_models_between_what_is_given_and_what_is_tested_are_computed(lake):
    """A test may begin where its reader thinks: at orders."""
    given = {
        "core.orders": (
            {"source": "s", "order_id": "1", "amount": 5, "currency": "EUR", "ordered_at": "2026-01-05"},
        ),
    }
    assert (
        problem(lake, [{"order_id": "1", "value": 5, "home_currency": "EUR"}], given, "core.order_values")
        == ""
    )


def test_files_beside_models_are_read_by_their_place(tmp_path):
    """A wrong one is named by the table that it would test."""
    folder = tmp_path / "models/marts"
    folder.mkdir(parents=True)
    (folder / "rfm.tests.yaml").write_text("tests:\n  - {name: x, given: {}, expected: []}\n", "utf-8")
    (folder / "mine.tests.yaml").write_text("tests:\n  - {nam: x, given: {}, expected: []}\n", "utf-8")
    tests, wrong = unit_tests.load(tmp_path)
    assert [test.name for test in tests["marts.rfm"].tests] == ["x"]
    assert "marts/mine.tests.yaml: " in wrong["marts.mine"]
    (folder / "mine.tests.yaml").write_text("tests:\n  - {name: x, given: {}, expected: []}\n", "utf-8")
    assert "marts.mine" not in unit_tests.load(tmp_path)[1]  # mended: it is seen without a restart
    assert "did you mean name?" in wrong["marts.mine"]
