"""A person learns what is wrong with a model before it runs, by its file, its line and the names that are near."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal
from lakehouse.models.new_model import new_model
from lakehouse.settings import current
from lakehouse.stages.check_models import check_models, run_unit_tests
from tests.support.model_cases import own_model


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    current.cache_clear()
    yield tmp_path
    current.cache_clear()


def test_all_that_ships_is_right(folder):
    """Its unit tests, too."""
    assert [checked for checked in check_models(current()) if checked.problem] == []
    tested = run_unit_tests(current())
    assert tested
    assert [test for test in tested if test.problem] == []


@pytest.mark.parametrize(
    ("swap", "says"),
    [
        (("orders > 0", "ordrs > 0"), r'Referenced column "ordrs" not found'),
        (("orders > 0", "orders > 0 AND nosuch(1)"), "nosuch"),
        (("SELECT", "SELEC"), "SQL: not SQL near"),
        (("AS segment", "AS segmnt"), "did you mean segment?"),
    ],
)
def test_a_wrong_model_is_named_with_its_line(folder, swap, says):
    """Over empty tables: nothing has to be loaded for it."""
    lines = own_model(folder, "marts.rfm", swap=swap)
    [checked] = [checked for checked in check_models(current()) if checked.problem]
    assert checked.table == "marts.rfm"
    assert checked.problem.startswith("marts/rfm.sql: ")
    assert says in checked.problem
    if "(line" in checked.problem:
        assert int(checked.problem.rpartition("(line ")[2].rstrip(")")) > lines


def test_a_wrong_audit_is_wrong(folder):
    """It would be found when the first rows come."""
    new_model(folder, "marts.mine")
    path = folder / "models/marts/mine.sql"
    path.write_text(path.read_text("utf-8").replace("condition: orders", "condition: ordrs"), "utf-8")
    [checked] = check_models(current(), ["marts.mine"])
    assert 'Referenced column "ordrs" not found' in checked.problem


def test_what_spark_may_compute_otherwise_is_a_warning(folder):
    """Of people's own models, unless the header says that it does not matter; no model is wrong for it."""
    new_model(folder, "marts.mine")
    path = folder / "models/marts/mine.sql"
    sql = path.read_text("utf-8")
    assert [checked.warning for checked in check_models(current(), ["marts.mine"])] == [""]
    path.write_text(f"{sql.rstrip().rstrip(';')}\nHAVING hash(count(*)) IS NOT NULL\n", "utf-8")
    [checked] = check_models(current(), ["marts.mine"])
    assert checked.warning.startswith("marts/mine.sql: Spark lacks, or may compute otherwise: hash();")
    path.write_text(path.read_text("utf-8").replace("grain:", "only_on: duckdb\ngrain:"), "utf-8")
    assert [checked.warning for checked in check_models(current(), ["marts.mine"])] == [""]


def test_what_ships_has_no_warning(folder):
    """Nobody who writes a model of their own has to read of ours."""
    assert {checked.warning for checked in check_models(current(), ["marts.sessions", "core.customers"])} == {
        ""
    }


def test_only_the_tables_that_are_named_are_looked_at(folder):
    """And a name that no model has is answered with those that are near."""
    new_model(folder, "marts.mine")
    assert [checked.table for checked in check_models(current(), ["marts.mine"])] == ["marts.mine"]
    assert {tested.table for tested in run_unit_tests(current(), ["marts.mine"])} == {"marts.mine"}
    for ask in (check_models, run_unit_tests):
        with pytest.raises(Terminal, match=r"no model fills marts\.min; did you mean marts\.mine"):
            ask(current(), ["marts.min"])


def test_a_test_of_no_model_is_wrong(folder):
    """It would pass for ever, untried."""
    new_model(folder, "marts.mine")
    (folder / "models/marts/mine.tests.yaml").rename(folder / "models/marts/mein.tests.yaml")
    [tested] = [tested for tested in run_unit_tests(current()) if tested.problem]
    assert (tested.table, tested.problem) == ("marts.mein", "no model fills this table")
