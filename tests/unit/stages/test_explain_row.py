"""A row is explained from the snapshots that it was computed from, also of a past day, as long as they are kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest

from lakehouse.errors import Terminal
from lakehouse.models import runner
from lakehouse.stages import explain_row
from lakehouse.stages.explain_row import explain
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from tests.support.model_looks import Company
from tests.support.small_company import forget

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def company(lake, monkeypatch) -> Company:
    """Two customers with orders and events, and their marts."""
    monkeypatch.setenv("LAKEHOUSE_AS_OF", "2026-03-10")
    forget()
    company = Company({})
    company.fill(
        "core.customers", {"customer_id": "ann", "contacts": 1}, {"customer_id": "bob", "contacts": 1}
    )
    company.fill(
        "core.identities",
        {"identifier_type": "user_id", "identifier_value": "u1", "customer_id": "ann"},
        {"identifier_type": "user_id", "identifier_value": "u2", "customer_id": "bob"},
        {"identifier_type": "anonymous_id", "identifier_value": "d1", "customer_id": "ann"},
    )
    company.fill("core.home_currency", {"currency": "USD", "orders": 1})
    orders(company, ("O1", "ann"), ("O2", "bob"))
    company.append_events(
        [
            {"message_id": "m1", "user_id": "u1", "timestamp": NOON, "_loaded_at": NOON},
            {
                "message_id": "m2",
                "user_id": "u2",
                "anonymous_id": "d1",
                "timestamp": NOON,
                "_loaded_at": NOON,
            },
            {"message_id": "m3", "anonymous_id": "d1", "timestamp": NOON, "_loaded_at": NOON},
        ]
    )
    runner.run(company.settings, only=MODELS)
    return company


MODELS = ("core.activity_days", "marts.customer_360")


def orders(company: Company, *pairs: tuple[str, str]) -> None:
    rows = [
        {"source": "s", "order_id": number, "customer_id": who, "ordered_on": date(2026, 3, 1), "is_order": True,
         "counts_as": "sold", "gross": 5, "value": 5, "discounts": 0, "refunds": 0, "unvalued": False}
        for number, who in pairs
    ]  # fmt: skip
    company.fill("core.order_values", *rows)


def read(found: explain_row.Explained) -> dict[str, explain_row.Read]:
    return {each.table: each for each in found.read}


def test_a_row_its_versions_and_the_rows_that_it_comes_from(company):
    """The customer's alone, of rows that name a user or a device, too."""
    found = explain(company.settings, "ann", "marts.customer_360")
    assert [row["orders"] for row in found.rows] == [1]
    assert found.versions.keys() == {"version", "as_of", "time_zone"}
    inputs = read(found)
    assert [row["order_id"] for row in inputs["core.order_values"].rows] == ["O1"]
    assert inputs["core.identities"].count == 2
    assert inputs["core.home_currency"].standing == "everybody's"
    assert {"raw.events", "core.order_values"} <= set(found.made_of)
    days = inputs["core.activity_days"]
    assert sorted((row["user_id"], row["anonymous_id"]) for row in days.rows if row["user_id"]) == [
        ("u1", None)
    ]
    assert days.count == 2  # what bob did on ann's device is bob's
    json.dumps(asdict(found), default=str)


def test_a_past_day_is_explained_from_what_was_read_then(company, monkeypatch):
    """Whatever has come since; of a day before the first snapshot nothing is kept."""
    table = catalogs.open_catalog(company.settings).load_table("marts.customer_360")
    then = explain_row.past.made_at(table.current_snapshot())
    monkeypatch.setattr(explain_row, "end_of_day", lambda day, _: then + (day - date(2026, 3, 1)))
    orders(company, ("O1", "ann"), ("O3", "ann"), ("O2", "bob"))
    runner.run(company.settings, only=MODELS)
    now = explain(company.settings, "ann", "marts.customer_360")
    before = explain(company.settings, "ann", "marts.customer_360", date(2026, 3, 1))
    assert (now.rows[0]["orders"], before.rows[0]["orders"]) == (2, 1)
    assert (read(now)["core.order_values"].count, read(before)["core.order_values"].count) == (2, 1)
    assert explain(company.settings, "ann", "marts.customer_360", date(2026, 3, 2)).rows == now.rows
    with pytest.raises(Terminal, match=r"no snapshot of marts\.customer_360 of 2026-02-28 is kept"):
        explain(company.settings, "ann", "marts.customer_360", date(2026, 2, 28))


def test_a_snapshot_that_is_kept_no_more_is_told(company):
    """The row is shown all the same."""
    orders(company, ("O1", "ann"))
    table = catalogs.open_catalog(company.settings).load_table("core.order_values")
    old = table.metadata.snapshots[0].snapshot_id
    table.maintenance.expire_snapshots().by_id(old).commit()
    found = explain(company.settings, "ann", "marts.customer_360")
    assert read(found)["core.order_values"].standing == "expired"
    assert found.rows[0]["orders"] == 1


def test_what_a_row_says_of_itself_goes_before_what_its_table_says(company):
    """A score's row may be older than the commit that it stands in."""
    heads = commit.inputs(catalogs.open_catalog(company.settings).load_table("marts.customer_360"))
    inputs = json.dumps({"core.order_values": heads["core.order_values"], "as_of": "2026-01-01"})
    at = datetime(2026, 1, 1, tzinfo=UTC)
    score = {
        "customer_id": "ann",
        "churn_probability": 0.8,
        "reasons": "Silent",
        "model_version": "churn-1 bg_nbd",
    }
    company.fill("marts.churn_risk", score | {"inputs": inputs, "computed_at": at})
    orders(company, ("O9", "ann"))
    found = explain(company.settings, "ann", "marts.churn_risk")
    assert found.versions == {"as_of": "2026-01-01", "model_version": "churn-1 bg_nbd"}
    assert found.computed_at == at
    assert [row["order_id"] for row in read(found)["core.order_values"].rows] == ["O1"]
    assert found.rows[0]["reasons"] == "Silent"


@pytest.mark.parametrize(
    ("customer", "table", "says"),
    [
        ("ann", "marts.churnrisk", "there is no marts.churnrisk; did you mean marts.churn_risk"),
        ("ann", "core.home_currency", "its rows are no customer's"),
        ("ann", "marts.clv", "has no rows yet"),
        ("ann", "core.fct_orders", "is a view"),
        ("zoe", "marts.customer_360", "has no row of zoe now"),
    ],
)
def test_what_cannot_be_explained_is_said(company, customer, table, says):
    """With what to do."""
    with pytest.raises(Terminal, match=says):
        explain(company.settings, customer, table)


def test_a_day_ends_in_the_zone_of_the_business(lake, monkeypatch):
    """Just before the next one begins."""
    monkeypatch.setenv("LAKEHOUSE_TIME_ZONE", "Asia/Shanghai")
    forget()
    end = explain_row.end_of_day(date(2026, 3, 1), Company({}).settings)
    assert end.astimezone(UTC) == datetime(2026, 3, 1, 16, tzinfo=UTC) - timedelta(milliseconds=1)
