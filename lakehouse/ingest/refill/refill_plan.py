"""Which columns of a table take values from `extra`, and which keys there are theirs: decided without the table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.ingest.refill.refill_sql import Move
from lakehouse.sources import headers, money_columns

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source, SourceColumn


def pending_columns(
    source: Source, known: Mapping[int, str], last_column_id: int
) -> tuple[list[SourceColumn], dict[str, str]]:
    """Return the columns that a table can take values for, and the types of those that it is about to get, by name.

    `known` are the table's columns by field id. A column with a field id up to `last_column_id` that is not among them
    was dropped, and takes nothing. Raises Terminal where a column has another name in the table.
    """
    field_ids = source.contract.field_ids()
    _refuse_renamed(source, known)
    types = {column.name: column.duck_type for column in source.contract.columns}
    new = {name: types[name] for name, field_id in field_ids.items() if field_id > last_column_id}
    existing = {name for name, field_id in field_ids.items() if field_id in known}
    columns = [column for column in source.stored if column.name in existing | new.keys()]
    return columns, new


def _refuse_renamed(source: Source, known: Mapping[int, str]) -> None:
    renamed = [
        name for name, field_id in source.contract.field_ids().items() if known.get(field_id, name) != name
    ]
    if renamed:
        raise Terminal(
            f"{source.table}: {', '.join(renamed)} has another name in the catalog: either the program and its "
            "definitions are older than the table, or the next ingest has yet to migrate it"
        )


def match_keys(source: Source, columns: Sequence[SourceColumn], keys: Collection[str]) -> list[Move]:
    """Return which of the keys in `extra` belong to a column by now, in the order of the keys.

    A table's header is matched by its normal form, JSON to the letter: as at ingest.
    """
    by_name = columns_by_name(source, columns)
    money = money_columns.find(source)
    moves = []
    for key in sorted(keys):
        column = by_name.get(_name_to_match(source, key))
        if column is not None:
            of_column = tuple(each for each in money if each.name == column.name)
            moves.append(
                Move(key, column, source.time_zone, trimmed=source.format != "ndjson", money=of_column)
            )
    return moves


def columns_by_name(source: Source, columns: Sequence[SourceColumn]) -> dict[str, SourceColumn]:
    """Return the columns by each name that the mapping gives them, in the form that keys are compared in."""
    return {_name_to_match(source, name): column for column in columns for name in column.names}


def _name_to_match(source: Source, name: str) -> str:
    return name if source.format == "ndjson" else headers.normal(name)
