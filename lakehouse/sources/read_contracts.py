"""Raw tables as models read them: with the columns that the shipped definition has and a company's own one lacks.

A company's definition of `web/events` may leave out what it does not want to keep, such as the user agent. Models that
ship read that column all the same; there it is null, and nothing is collected for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from lakehouse.sources import definition

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source
    from lakehouse.tables.contract import Column, Contract


def columns_left_out(source: Source) -> tuple[Column, ...]:
    """Return the columns of the shipped definition of a source that a definition lacks; none where none ships."""
    shipped = definition.load().get(source.source_key)
    if shipped is None or shipped is source or shipped.table != source.table:
        return ()
    own = {column.name for column in source.contract.columns}
    return tuple(column for column in shipped.contract.columns if column.name not in own)


def read_contract(source: Source) -> Contract:
    """Return the contract of a source's table as models read it; tables are made and written by the source's own."""
    left_out = columns_left_out(source)
    return (
        replace(source.contract, columns=(*source.contract.columns, *left_out))
        if left_out
        else source.contract
    )


def read_contracts(sources: Iterable[Source]) -> dict[str, Contract]:
    """Return the contracts of raw tables as models read them, by the table's name."""
    return {source.table: read_contract(source) for source in sources}


def completed(sources: Iterable[Source]) -> list[Contract]:
    """Return those of them that have columns which their tables lack."""
    return [read_contract(source) for source in sources if columns_left_out(source)]
