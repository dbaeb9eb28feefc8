"""A transaction's metadata is what pyiceberg makes of it, at each moment, and is made once for each."""

from __future__ import annotations

import pytest
from pyiceberg.table import Transaction

from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.staging import begin
from tests.support.lakes import a_contract, load_files


@pytest.fixture
def table(lake):
    return ensure(open_catalog(lake), a_contract())


def by_pyiceberg(transaction):
    """Return the staged metadata as pyiceberg computes it; when it was computed is in it."""
    return Transaction.table_metadata.fget(transaction).model_copy(update={"last_updated_ms": 0})


def test_staged_metadata_is_pyiceberg_s(table):
    """Before anything is staged, after something is, and when the table has moved meanwhile."""
    transaction = begin(table)
    assert transaction.table_metadata == table.metadata
    transaction.set_properties({"a": "1"})
    assert transaction.table_metadata.properties["a"] == "1"
    assert "a" not in table.metadata.properties
    assert transaction.table_metadata.model_copy(update={"last_updated_ms": 0}) == by_pyiceberg(transaction)
    transaction.set_properties({"a": "2"})
    assert transaction.table_metadata.properties["a"] == "2"
    transaction.commit_transaction()
    assert table.refresh().properties["a"] == "2"


def test_a_table_that_is_loaded_again_is_seen(lake, table):
    """As when a commit that lost a race is tried again."""
    transaction = begin(table)
    assert transaction.table_metadata.current_snapshot() is None
    load_files(lake, ensure(open_catalog(lake), a_contract(table.name()[0] + "." + table.name()[1])), "f")
    table.refresh()
    assert transaction.table_metadata.current_snapshot() == table.current_snapshot() is not None


def test_it_is_computed_once(table, monkeypatch):
    """However often it is asked for; once more when something is staged."""
    asked = []
    original = Transaction.table_metadata.fget
    monkeypatch.setattr(
        Transaction, "table_metadata", property(lambda self: asked.append(1) or original(self))
    )
    transaction = begin(table)
    assert [transaction.table_metadata for _ in range(3)] == [transaction.table_metadata] * 3
    assert len(asked) == 1
    transaction.set_properties({"a": "1"})
    before = len(asked)
    assert transaction.table_metadata is transaction.table_metadata
    assert len(asked) <= before + 1
