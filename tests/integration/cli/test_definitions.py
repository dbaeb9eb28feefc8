"""`lakehouse sources add` on a lake: files that waited are loaded, and nothing happens where nobody reads it."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from lakehouse.local import attachment
from lakehouse.local import session as sessions
from lakehouse.stages.resolve import resolve
from tests.support.source_commands import CSV, sources_command


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, company):
    """Run `lakehouse sources …` with no stack anywhere; return its exit code, output and errors."""
    yield from sources_command(tmp_path, monkeypatch, capsys)


def test_add_to_a_stack(run, company, tmp_path, monkeypatch):
    """What waited is loaded; a folder that the stack does not read gets the file and nothing else."""
    (tmp_path / "d" / "store").mkdir(parents=True)
    (tmp_path / "d" / "definitions").mkdir()
    settings = company.settings.model_copy(update={"definitions": tmp_path / "d" / "definitions"})

    @contextmanager
    def session(*_, **__):
        yield settings

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setattr(attachment, "attach", lambda _: None)
    company.load("desk/contacts", "contacts.csv", CSV)
    run("suggest", "contacts.csv", "--source", "desk", "-o", "desk.yaml")
    code, out, _ = run("add", "desk.yaml", "--data", "d", "--definitions", "elsewhere")
    assert code == 0
    assert (tmp_path / "elsewhere/sources/desk_contacts.yaml").exists()
    assert "that waited" not in out
    assert "1 file that nobody had defined" in run("add", "desk.yaml", "--data", "d", "--dry-run")[1]
    code, out, _ = run("add", "desk.yaml", "--data", "d")
    assert code == 0
    assert "1 file that waited: 30 rows loaded, 0 set aside" in out
    assert "core.contacts: 0 of 30 rows found a customer; nobody can before resolve has run" in out
    told = json.loads(run("add", "desk.yaml", "--data", "d", "--json")[1])
    assert told["done"]["customers_found"][0]["rows"] == 30
    settings = company.settings.model_copy(update={"definitions": None})
    assert "restart it" in run("add", "desk.yaml", "--data", "d")[2]


def test_check_all_says_how_many_rows_found_a_customer(run, company, tmp_path, monkeypatch):
    """Of a data folder that holds a lake; a low share is a warning."""
    (tmp_path / "d" / "store").mkdir(parents=True)

    @contextmanager
    def session(*_, **__):
        yield company.settings

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setattr(attachment, "attach", lambda _: None)
    company.contacts("1.csv", "1, Ann, ann@example.org, 7, Yes, 2025-01-01")
    company.orders("1.csv", "o1, 42, 2026-01-01, 5.00", "o2, 43, 2026-01-01, 5.00")
    resolve(company.settings)
    company.fill(
        "core.identities", {"identifier_type": "user_id", "identifier_value": "9", "customer_id": "c"}
    )
    monkeypatch.setattr("lakehouse.stages.resolve.pending", lambda _: False)
    code, out, _ = run("check", "--all", "--data", "d")
    assert code == 0
    assert "shop/orders: core.orders: 0 of 2 rows found a customer" in out
    assert (
        "shop/orders: core.orders.identifier_value: 0 of 2 rows found a customer: compare the values" in out
    )
    told = json.loads(run("check", "--all", "--data", "d", "--json")[1])
    assert {
        "source": "shop/orders",
        "entity": "orders",
        "rows": 2,
        "found": 0,
        "resolved": "current",
    }.items() <= (
        next(counted for counted in told["customers_found"] if counted["source"] == "shop/orders").items()
    )
