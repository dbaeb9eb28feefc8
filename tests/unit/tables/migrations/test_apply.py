"""Changes of a table come in one commit; tests/contract runs them beside others, over every catalog."""

from __future__ import annotations

from dataclasses import replace

from pyiceberg.exceptions import CommitFailedException

from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.contract import Column, Migration, partitions
from lakehouse.tables.migrations import apply
from tests.support.lakes import a_contract


def versions(table):
    """Return how often the table's metadata was written."""
    return len(table.refresh().metadata.metadata_log)


def test_a_table_of_its_contract_is_left_alone(lake):
    """No commit."""
    catalog, contract = open_catalog(lake), a_contract()
    table = ensure(catalog, contract)
    before = versions(table)
    assert apply.migrate(catalog, catalog.load_table(contract.name), contract).name() == table.name()
    assert versions(table) == before


def test_columns_layout_and_properties_come_in_one_commit(lake):
    """And are there when the table is returned."""
    catalog, contract = open_catalog(lake), a_contract(sort=("n",))
    table = ensure(catalog, contract)
    before = versions(table)
    newer = replace(
        contract, columns=(*contract.columns, Column("c", "string", "C")), sort=(),
        partition=partitions("identity(file)"), migrations=(Migration(1, "why"),),
    )  # fmt: skip
    changed = apply.migrate(catalog, catalog.load_table(contract.name), newer)
    assert [field.name for field in changed.schema().fields] == ["file", "n", "c"]
    assert [field.name for field in changed.spec().fields] == ["file"]
    assert changed.sort_order().fields == []
    assert versions(table) == before + 1


def test_a_lost_race_against_the_same_change_is_won(lake, monkeypatch):
    """Another program of the same release was first: its change is found, and not made again."""
    catalog, contract = open_catalog(lake), a_contract()
    ensure(catalog, contract)
    newer = replace(contract, columns=(*contract.columns, Column("c", "string", "C")))
    stale = catalog.load_table(contract.name)
    real, calls = apply.commit, []

    def come_second(*arguments):
        calls.append(arguments)
        real(catalog.load_table(contract.name), *arguments[1:])
        raise CommitFailedException("somebody was first")

    monkeypatch.setattr(apply, "commit", come_second)
    assert len(apply.migrate(catalog, stale, newer).schema().fields) == 3
    assert len(calls) == 1
