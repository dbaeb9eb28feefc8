"""Rows that may not be a table's are not committed: their number is told, and no value."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from lakehouse.models import runner
from lakehouse.tables import catalog as catalogs
from tests.support.small_company import SmallCompany, forget

MINE = """/*
doc: Mine
grain: one row an order
key: [order_id]
columns:
  - {{name: order_id, doc: Order}}
  - {{name: amount, type: "decimal(18,2)", doc: Amount}}
audits:
  - {{name: nobody pays less than nothing, condition: {audit}}}
*/
{select}
"""


@pytest.fixture
def company(lake, monkeypatch, tmp_path) -> SmallCompany:
    """A lake with three orders, one of them below zero, and a folder of definitions."""
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    forget()
    company = SmallCompany({})
    company.fill(
        "core.orders",
        *(
            {"source": "shop", "order_id": f"O{n}", "amount": amount, "ordered_at": datetime(2026, 1, 5, tzinfo=UTC)}
            for n, amount in enumerate((Decimal(10), Decimal(-7), None))
        ),
    )  # fmt: skip
    return company


def compute(company: SmallCompany, folder, select: str, audit: str = "amount <> 99"):
    path = folder / "models" / "marts" / "mine.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MINE.format(select=select, audit=audit), "utf-8")
    return runner.run(company.settings, only=["marts.mine"]).wrong


ALL = "SELECT order_id, amount FROM core.orders"


@pytest.mark.parametrize(
    ("select", "audit", "says"),
    [
        (ALL, "amount >= 0", "audit 'nobody pays less than nothing': 1 of its rows contradict it"),
        ("SELECT 'x' AS order_id, amount FROM core.orders", "1 = 1", "2 of its rows have the key (order_id) of "),
        ("SELECT nullif(order_id, 'O1') AS order_id, 1 AS amount FROM core.orders", "1 = 1", "1 of its rows lack a"),
        (ALL, "amont >= 0", 'Referenced column "amont" not found'),
        (ALL, "CAST(order_id AS INTEGER) > 0", "ConversionException for a value of some row"),
        ("SELECT * FROM core.orders", "1 = 1", "yields source, which `columns` does not name"),
        ("SELECT * EXCLUDE (amount) FROM (SELECT order_id, amount FROM core.orders)", "1 = 1", "does not yield it"),
    ],
)  # fmt: skip
def test_rows_that_contradict_their_contract_are_kept_out(company, tmp_path, select, audit, says):
    """Those of before stay, and nothing of the attempt."""
    assert compute(company, tmp_path, ALL) == []
    [reason] = compute(company, tmp_path, select, audit)
    assert reason.startswith("marts/mine.sql: ")
    assert says in reason
    assert "O1" not in reason
    assert company.ask("select count(*), sum(amount) from marts.mine") == [(3, Decimal(3))]
    assert {file for file in company.data_files() - company.live_files() if "/marts/mine/" in file} == set()


def test_what_is_unknown_contradicts_nothing(company, tmp_path):
    """As a CHECK of SQL has it."""
    assert compute(company, tmp_path, f"{ALL} WHERE amount IS NULL", "amount > 5") == []
    assert company.ask("select count(*) from marts.mine") == [(1,)]


def test_no_rows_contradict_nothing(company, tmp_path):
    """A mart may be empty."""
    assert compute(company, tmp_path, f"{ALL} WHERE false") == []
    assert company.ask("select count(*) from marts.mine") == [(0,)]


def test_a_column_more_comes_to_the_table_and_a_column_of_another_type_is_told(company, tmp_path):
    """The table grows with the file; what Iceberg cannot make of it is the model's fault, not everybody's."""
    assert compute(company, tmp_path, ALL) == []
    path = tmp_path / "models/marts/mine.sql"
    text = path.read_text("utf-8")
    path.write_text(
        text.replace("audits:", "  - {name: paid, type: boolean, doc: Paid}\naudits:").replace(
            "amount FROM", "amount, amount > 0 AS paid FROM"
        ),
        "utf-8",
    )
    assert runner.run(company.settings, only=["marts.mine"]).wrong == []
    assert company.ask("select count(*) from marts.mine where paid") == [(1,)]
    path.write_text(text.replace('"decimal(18,2)"', "boolean"), "utf-8")
    [reason] = runner.run(company.settings, only=["marts.mine"]).wrong
    assert reason.startswith("marts/mine.sql: ")
    assert "amount" in reason
    assert company.ask("select count(*) from marts.mine where paid") == [(1,)]


def test_a_file_taken_away_leaves_its_table_alone(company, tmp_path):
    """What nobody fills any more is still somebody's."""
    assert compute(company, tmp_path, ALL) == []
    (tmp_path / "models/marts/mine.sql").unlink()
    assert runner.run(company.settings).wrong == []
    assert catalogs.load(catalogs.open_catalog(company.settings), "marts.mine") is not None
