"""What a table lacks to be what its contract says. Decides by field id; reads metadata, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.tables.contract import wider
from lakehouse.tables.migrations import shape

if TYPE_CHECKING:
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.types import NestedField

    from lakehouse.tables.contract import Column, Contract


@dataclass(frozen=True)
class Changes:
    """What to change. Falsy when there is nothing to do."""

    drops: tuple[str, ...] = ()
    renames: dict[str, str] = field(default_factory=dict)
    widened: tuple[Column, ...] = ()
    added: tuple[Column, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    layout: bool = False  # partition spec, sort order and docs may change too

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        columns = self.drops or self.renames or self.widened or self.added
        return bool(columns or self.properties or self.layout)


def plan(metadata: TableMetadata, contract: Contract) -> Changes:
    """Return what brings a table to its contract; nothing for a table that newer migrations than ours have seen.

    Columns that the table has and the contract lacks are a newer contract's: they stay. Raises `Terminal` when the
    two contradict each other, and when a dropped column still partitions the table.
    """
    seen, due = number(metadata), contract.number
    if seen > due:
        return Changes()
    ids = contract.field_ids()
    have = {found.field_id: found for found in metadata.schema().fields}
    drops = tuple(have[number].name for number in contract.dropped if number in have)
    _check_drops(metadata, contract, seen)
    renames, widened = {}, []
    for column in contract.columns:
        found = have.get(ids[column.name])
        if found is None:
            continue
        if found.name != column.name:
            _check_rename(found, column, contract, seen)
            renames[found.name] = column.name
        if shape.type_name(found.field_type) != column.type:
            if wider(shape.type_name(found.field_type), column.type):
                widened.append(column)
            elif not wider(column.type, shape.type_name(found.field_type)):
                raise _contradiction(found, column, contract)
    added = _added(metadata, contract, have)
    return Changes(drops, renames, tuple(widened), added, _properties(metadata, contract), layout=seen < due)


def number(metadata: TableMetadata) -> int:
    """Return the newest migration that a table has seen, 0 for one that has seen none."""
    return int(metadata.properties.get(shape.NUMBER, 0))


def _added(metadata: TableMetadata, contract: Contract, have: dict[int, NestedField]) -> tuple[Column, ...]:
    """Return the columns to add, in the order of their ids, with placeholders for ids that were dropped before.

    A catalog gives the next id to the next column, so an id that this table never had must be used up.
    """
    last = metadata.last_column_id
    by_id = {number: column for column in contract.columns if (number := contract.field_ids()[column.name])}
    for number, column in by_id.items():
        if number not in have and number <= last:
            raise Terminal(
                f"table {contract.name}: column {column.name} has field id {number} in the contract, which the table "
                "has had and dropped; new columns go to the end, and a migration names the id of what it drops"
            )
    return tuple(by_id.get(number) or shape.placeholder(number) for number in range(last + 1, max(by_id) + 1))


def _properties(metadata: TableMetadata, contract: Contract) -> dict[str, str]:
    """Return properties to set: those that are missing; with a migration due, also those with other values."""
    wanted, have = shape.properties(contract), metadata.properties
    if number(metadata) < contract.number:
        return {name: value for name, value in wanted.items() if have.get(name) != value}
    return {name: value for name, value in wanted.items() if name not in have}


def _check_rename(found: NestedField, column: Column, contract: Contract, seen: int) -> None:
    if contract.renamed(found.name, after=seen) != column.name:
        raise _contradiction(found, column, contract)


def _check_drops(metadata: TableMetadata, contract: Contract, seen: int) -> None:
    have = {found.field_id: found.name for found in metadata.schema().fields}
    partitioning = {part.source_id for spec in metadata.partition_specs for part in spec.fields}
    for migration in contract.migrations[seen:]:
        for name, identity in migration.drop.items():
            if identity in have and contract.renamed(have[identity], after=seen) is not None:
                raise Terminal(
                    f"table {contract.name}: migration {migration.number} drops {name} as field id {identity}, which "
                    f"is {have[identity]} in the catalog; see the ids in docs/data-dictionary.md"
                )
            if identity in partitioning:
                raise Terminal(
                    f"table {contract.name}: {name} cannot be dropped, files are partitioned by it; keep the column"
                )


def _contradiction(found: NestedField, column: Column, contract: Contract) -> Terminal:
    return Terminal(
        f"table {contract.name}: field id {found.field_id} is {found.name} {shape.type_name(found.field_type)} in the "
        f"catalog and {column.name} {column.type} in the contract; add columns at the end, widen types (int to long, "
        "float to double, more digits before the point), and put what else must change into a numbered migration"
    )
