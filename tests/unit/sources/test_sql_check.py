"""The SQL of a definition is tried over empty tables: what cannot run, and what loses values."""

from __future__ import annotations

import pytest
import yaml

from lakehouse.settings import Settings
from lakehouse.sources.definition import Source
from lakehouse.sources.sql_check import bind, connect, weigh_cast

GOOD = {
    "source": "erp",
    "entity": "sales",
    "doc": "Sales",
    "grain": "one row a sale",
    "format": "csv",
    "columns": [
        {"name": "id", "from": "Id", "doc": "Id"},
        {"name": "total", "from": "Total", "type": "decimal(12,2)", "doc": "Total"},
        {"name": "sold_at", "from": "At", "type": "timestamptz", "doc": "At"},
        {"name": "lines", "from": "Lines", "doc": "Lines as JSON"},
    ],
    "core": {"orders": {"order_id": "id", "amount": "total"}},
}


def findings(tmp_path, **changes):
    source = Source.model_validate(yaml.safe_load(yaml.safe_dump(GOOD | changes)))
    with connect(Settings(scratch=tmp_path)) as con:
        return [(one.level, one.field, one.message) for one in bind(con, source, "a.yaml")]


def test_sql_that_runs_is_no_finding(tmp_path):
    """Also over the elements of a list."""
    items = {"each": "lines", "order_id": "id", "line_id": "each->>'id'"}
    assert findings(tmp_path) == []
    assert findings(tmp_path, core={"order_items": items}, region="country_region(id)") == []


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"record": "idd"}, "record", "there is no column idd; did you mean id?"),
        ({"region": "upper("}, "region", "no SQL that runs: Parser Error"),
        ({"region": "country_regions(id)"}, "region", "no SQL that runs: Catalog Error"),
        (
            {"core": {"orders": {"order_id": "id", "where": "totl > 1"}}},
            "core.orders.where",
            "did you mean total?",
        ),
        (
            {"checks": [{"code": "c", "when": "total > x", "reason": "r"}]},
            "checks.c.when",
            "there is no column x",
        ),
    ],
)
def test_sql_that_cannot_run_is_an_error_of_its_field(tmp_path, changes, field, message):
    """The reason is one line; a column that is not there comes with the one that was meant."""
    ((level, found_field, found_message),) = findings(tmp_path, **changes)
    assert (level, found_field) == ("error", field)
    assert message in found_message
    assert "\n" not in found_message


def test_pieces_that_run_may_not_fit_together(tmp_path):
    """The mapping as models read it is tried when each of its pieces runs."""
    core = {"orders": {"order_id": "id", "amount": "sum(total)"}}
    assert [found[:2] for found in findings(tmp_path, core=core)] == [("error", "core.orders")]


@pytest.mark.parametrize(
    ("sql", "given", "target", "level"),
    [
        ("total", "DECIMAL(12,2)", "DECIMAL(18,2)", None),
        ("total", "BIGINT", "DECIMAL(18,2)", None),
        ("who", "VARCHAR", "DECIMAL(18,2)", "warning"),
        ("total", "DECIMAL(12,2)", "TIMESTAMPTZ", "error"),
        ("sold_at", "TIMESTAMP WITH TIME ZONE", "DECIMAL(18,2)", "error"),
        ("sold_at", "TIMESTAMP WITH TIME ZONE", "DATE", None),
        ("CASE WHEN x THEN NULL END", "INTEGER", "TIMESTAMPTZ", None),
        ("1 + 1", "INTEGER", "TIMESTAMPTZ", "error"),
        ("each", "JSON", "TIMESTAMPTZ", None),
        ("sold_at", "TIMESTAMP WITH TIME ZONE", "BOOLEAN", None),
    ],
)
def test_a_cast_that_loses_values_is_reported(sql, given, target, level):
    """Text may hold what does not fit; a number is never a time."""
    remark = weigh_cast("core.orders.x", sql, given, target)
    assert (remark[0] if remark else None) == level


def test_definitions_on_one_connection_know_nothing_of_each_other(tmp_path):
    """One finds the table of none that was checked before, and of its own name its own columns."""
    first = Source.model_validate(GOOD)
    narrow = Source.model_validate(GOOD | {"columns": GOOD["columns"][:1], "core": {}})
    curious = Source.model_validate(
        GOOD | {"source": "shop", "record": "(SELECT max(id) FROM raw.erp_sales)"}
    )
    with connect(Settings(scratch=tmp_path)) as con:
        assert bind(con, first, "a.yaml") == bind(con, narrow, "b.yaml") == []
        assert [one.field for one in bind(con, curious, "c.yaml")] == ["record"]
