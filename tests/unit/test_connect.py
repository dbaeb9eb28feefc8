"""`lakehouse.connect()`: every table in place, as it stood when the connection was made."""

from __future__ import annotations

import pytest

import lakehouse
from lakehouse import settings
from lakehouse.errors import Terminal, Transient
from lakehouse.models import registry
from lakehouse.sources import definition


def tables(con) -> set[str]:
    query = "select table_schema || '.' || table_name from information_schema.tables"
    return {name for (name,) in con.execute(query).fetchall()}


def test_every_table_is_in_place_also_in_an_empty_lake(lake):
    """With the columns of its contract, and the events with the customers they belong to."""
    con = lakehouse.connect()
    contracts = {
        contract.name: contract
        for contract in (
            *registry.load().contracts.values(),
            *(s.contract for s in definition.load().values()),
        )
    }
    assert tables(con) == contracts.keys() | {"core.events", "core.id_sources"}
    for name, contract in contracts.items():
        found = con.execute(f"select * from {name}")
        assert [column[0] for column in found.description] == [column.name for column in contract.columns]
        assert found.fetchall() == [] or name == "core.dim_date"  # a view of no table
    assert con.execute("select count(customer_id) from core.events").fetchone() == (0,)
    assert con.execute("select source, entity, id_source from core.id_sources").fetchall() == []
    con.close()


@pytest.fixture
def nowhere(monkeypatch):
    """An environment that names no catalog."""
    for name in ("LAKEHOUSE_CATALOG", "LAKEHOUSE_CATALOG_URI"):
        monkeypatch.delenv(name, raising=False)
    settings.current.cache_clear()
    yield
    settings.current.cache_clear()


def test_where_no_stack_runs_it_says_how_to_start_one(nowhere, tmp_path, monkeypatch):
    """Neither a catalog in the environment nor a stack on the folder; `--data` only where it is needed."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        Terminal, match=rf"no stack runs on .* start a stack with `lakehouse up --data {tmp_path}`"
    ):
        lakehouse.connect(tmp_path)
    with pytest.raises(Terminal, match=r"no stack runs on .* start a stack with `lakehouse up`"):
        lakehouse.connect()


def test_a_catalog_that_does_not_answer_is_told_and_not_traced(nowhere, monkeypatch):
    """With its address, and what may help."""
    environment = {
        "LAKEHOUSE_CATALOG": "rest",
        "LAKEHOUSE_CATALOG_URI": "http://127.0.0.1:1",
        "LAKEHOUSE_WAREHOUSE": "s3://x/",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Transient, match=r"http://127\.0\.0\.1:1 does not answer; if it is a local stack"):
        lakehouse.connect()
