"""What a company's own definition leaves out is there for models all the same, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

from lakehouse.sources import definition
from lakehouse.sources.read_contracts import columns_left_out, completed, read_contract, read_contracts

SHIPPED = definition.load()
WEB = SHIPPED["web", "events"]


def without(source, *names):
    """Return a definition as a company has it that does not keep some columns."""
    contract = source.contract
    kept = tuple(column for column in contract.columns if column.name not in names)
    lean = source.model_copy()
    object.__setattr__(lean, "contract", replace(contract, columns=kept))
    return lean


def test_what_ships_lacks_nothing():
    """Then the contract of the table is the one that models read."""
    assert [columns_left_out(source) for source in SHIPPED.values()] == [()] * len(SHIPPED)
    assert completed(SHIPPED.values()) == []
    assert read_contract(WEB) is WEB.contract
    assert read_contracts([WEB]) == {WEB.table: WEB.contract}


def test_columns_that_are_left_out_come_last():
    """In the order and with the types of the definition that ships."""
    lean = without(WEB, "user_agent", "consent")
    assert {column.name for column in columns_left_out(lean)} == {"user_agent", "consent"}
    read = read_contract(lean)
    assert {column.name for column in read.columns} == {column.name for column in WEB.contract.columns}
    assert [column.name for column in read.columns[-2:]] == [column.name for column in columns_left_out(lean)]
    assert completed([lean]) == [read]
