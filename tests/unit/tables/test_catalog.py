"""The catalog on SQLite: tables are made once, found by name; tests/contract runs the same over others."""

from __future__ import annotations

import pytest

from lakehouse.tables.catalog import ensure, load, open_catalog, table_names
from tests.support.lakes import a_contract, each_once, load_files, rows_of


def test_a_table_is_made_once(lake):
    """A second caller gets the same one, with its rows."""
    catalog, contract = open_catalog(lake), a_contract("raw.t")
    assert load(catalog, "raw.t") is None
    load_files(lake, ensure(catalog, contract), "a")
    assert rows_of(ensure(catalog, contract)) == each_once(["a"])
    assert load(catalog, "raw.t").metadata.table_uuid == ensure(catalog, contract).metadata.table_uuid


def test_tables_are_named_in_order_and_others_namespaces_are_left_out(lake):
    """Whoever shares the catalog keeps tables of their own."""
    catalog = open_catalog(lake)
    assert table_names(catalog) == []
    for name in ("raw.b", "core.a", "elsewhere.t", "raw.a"):
        ensure(catalog, a_contract(name))
    assert table_names(catalog) == ["core.a", "raw.a", "raw.b"]


def test_only_the_namespaces_that_are_named_are_asked(lake, monkeypatch):
    """A function may see no more than it reads, not even which namespaces there are."""
    catalog = open_catalog(lake)
    for name in ("raw.a", "core.a"):
        ensure(catalog, a_contract(name))
    asked, list_tables = [], catalog.list_tables
    monkeypatch.setattr(catalog, "list_namespaces", lambda *_: pytest.fail("asked for all namespaces"))
    monkeypatch.setattr(catalog, "list_tables", lambda name: asked.append(name) or list_tables(name))
    assert table_names(catalog, ["raw", "marts"]) == ["raw.a"]
    assert asked == ["raw", "marts"]


def test_one_catalog_is_opened_once(lake):
    """By settings that say the same."""
    assert open_catalog(lake) is open_catalog(lake.model_copy())
