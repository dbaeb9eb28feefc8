"""Fields that nobody reads are found by what mappings, models, metrics and syncs name."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from lakehouse import settings
from lakehouse.cli import app
from lakehouse.stages.unread_fields import unread_fields

MODEL = """\
/*
doc: Cold days
grain: one row a place and day
key: [place_id, day]
columns:
  - {name: place_id, doc: Place}
  - {name: day, type: date, doc: Day}
*/
SELECT place_id, day
FROM (SELECT * FROM core.weather)
WHERE wind_max_ms > 10
"""
METRIC = """\
name: parcels
title: Parcels
question: How many?
table: core.shipments
where: status <> 'lost'
sql: count(*)
dimensions: {carrier: carrier}
unit: parcels
owner: sales
"""
SOURCE = """\
source: till
entity: orders
doc: Orders of a till
grain: one row an order
format: csv
key: [order_id]
columns:
  - {name: order_id, from: order_id, doc: Number}
  - {name: total, from: total, type: "decimal(18,2)", doc: What was paid}
  - {name: weather, from: weather, doc: What the cashier sees through the window}
core:
  orders: {amount: total, same: [order_id]}
"""


@pytest.fixture
def unread(tmp_path, monkeypatch):
    def ask(**files: str) -> set[str]:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_sql", ".sql").replace("_yaml", ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
        settings.current.cache_clear()
        return {f"{each.table}.{each.column}" for each in unread_fields(settings.current())}

    yield ask
    settings.current.cache_clear()


def test_columns_that_ship_and_are_read_are_not_named(unread):
    """Through joins, conditions and stars; keys, versions and what stands beside columns are needed."""
    found = unread()
    assert {
        "core.weather.wind_max_ms",
        "core.shipments.carrier",
        "raw.douyin_leads.component",
    } <= found
    read = {
        "core.weather.precipitation_mm",
        "core.orders.amount",
        "core.returns.reason",
        "core.order_credits.last_value",
    }
    assert not read & found
    assert (
        not {
            "core.weather.place_id",
            "core.contacts.valid_to",
            "core.customers.email",
            "raw.shop_orders.extra",
        }
        & found
    )
    assert not {name for name in found if name.startswith(("marts.", "raw.people_ties"))}


def test_who_begins_to_read_a_column_takes_it_off_the_list(unread):
    """A model in its condition, a metric in its dimension and its condition; what a star alone brings is not read."""
    before = unread()
    after = unread(models__marts__cold_sql=MODEL, metrics__parcels_yaml=METRIC)
    gone = {"core.weather.wind_max_ms", "core.shipments.carrier", "core.shipments.status"}
    assert before - after == gone
    assert "core.weather.condition" in after


def test_a_column_that_no_mapping_names_is_on_the_list(unread):
    """Of one's own source, as of any."""
    new = unread(sources__till_orders_yaml=SOURCE)
    assert {name for name in new if name.startswith("raw.till_")} == {"raw.till_orders.weather"}


def test_the_command_lists_them(tmp_path):
    """As a table and as JSON."""
    answer = CliRunner().invoke(app, ["models", "unread", "--json", "--data", str(tmp_path)])
    assert answer.exit_code == 0
    rows = json.loads(answer.stdout)
    assert {
        "table": "core.weather",
        "column": "wind_max_ms",
        "doc": "Strongest wind, m/s",
        "pii": False,
    } in rows
    assert "wind_max_ms" in CliRunner().invoke(app, ["models", "unread", "--data", str(tmp_path)]).stdout
