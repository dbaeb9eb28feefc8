"""The contracts of all tables: complete, and each table can be made and read."""

from __future__ import annotations

import pytest

from lakehouse.sources.definition import load
from lakehouse.tables import contracts
from lakehouse.tables.catalog import NAMESPACES, ensure, open_catalog
from lakehouse.tables.contract import Contract
from lakehouse.tables.views import attach
from tests.support.lakes import duck_of

ALL = [value for value in vars(contracts).values() if isinstance(value, Contract)]
ALL += [source.contract for source in load().values()]


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: contract.name)
def test_every_contract_says_what_it_should(contract):
    """In one of our namespaces, with a grain, and a word on each column."""
    assert contract.namespace in NAMESPACES
    assert contract.doc
    assert contract.grain.startswith("one row ")
    assert all(column.doc and column.duck_type for column in contract.columns)
    assert [contract.field_ids()[column.name] for column in contract.columns] == list(
        range(1, len(contract.columns) + 1)
    )


def test_names_are_unique():
    """Two contracts of one table would take turns to break it."""
    assert len({contract.name for contract in ALL}) == len(ALL) > 15


def test_every_table_can_be_made_and_read(lake):
    """By any engine, before it has a row."""
    catalog = open_catalog(lake)
    for contract in ALL:
        ensure(catalog, contract)
    with duck_of(lake, iceberg=True) as con:
        assert set(attach(con, catalog)) == {contract.name for contract in ALL}
        for contract in ALL:
            answer = con.execute(f"SELECT * FROM {contract.name}")
            assert [column[0] for column in answer.description] == [c.name for c in contract.columns]
            assert answer.fetchall() == []
        assert con.execute("SELECT count(*) FROM core.events").fetchone() == (0,)
