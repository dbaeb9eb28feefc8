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
    """Return what brings a table to its contract; nothing for a table that newer migrations than ours have changed.

    Columns that the table has and the contract lacks are a newer contract's: they stay. Raises `Terminal` when the
    two contradict each other, and when a dropped column still partitions the table.
    """
    applied = number(metadata)
    if applied > contract.number:
        return Changes()
    fields = {field.field_id: field for field in metadata.schema().fields}
    _check_drops(metadata, contract, applied)
    ids = contract.field_ids()
    both = [(fields[ids[column.name]], column) for column in contract.columns if ids[column.name] in fields]
    return Changes(
        drops=tuple(fields[field_id].name for field_id in contract.dropped if field_id in fields),
        renames=_renames(both, contract, applied),
        widened=_widened(both, contract),
        added=_added(metadata, contract, fields),
        properties=_properties(metadata, contract),
        layout=applied < contract.number,
    )


def number(metadata: TableMetadata) -> int:
    """Return the newest migration that was applied to a table, 0 where none was."""
    return int(metadata.properties.get(shape.NUMBER, 0))


def _renames(both: list[tuple[NestedField, Column]], contract: Contract, applied: int) -> dict[str, str]:
    """Return old and new name of the columns that migrations not yet applied rename; Terminal for any other rename."""
    renames = {}
    for field_, column in both:
        if field_.name == column.name:
            continue
        if contract.renamed(field_.name, after=applied) != column.name:
            raise _contradiction(field_, column, contract)
        renames[field_.name] = column.name
    return renames


def _widened(both: list[tuple[NestedField, Column]], contract: Contract) -> tuple[Column, ...]:
    """Return the columns whose type gets wider; Terminal for one that becomes another type.

    A table's type that is the wider one is a newer contract's, and stays.
    """
    widened = []
    for field_, column in both:
        table_type = shape.type_name(field_.field_type)
        if table_type == column.type:
            continue
        if wider(table_type, column.type):
            widened.append(column)
        elif not wider(column.type, table_type):
            raise _contradiction(field_, column, contract)
    return tuple(widened)


def _added(metadata: TableMetadata, contract: Contract, fields: dict[int, NestedField]) -> tuple[Column, ...]:
    """Return the columns to add, in the order of their ids, with placeholders for ids that were dropped before.

    A catalog gives the next id to the next column, so an id that this table never had must be used up.
    """
    last = metadata.last_column_id
    ids = contract.field_ids()
    by_id = {ids[column.name]: column for column in contract.columns}
    for field_id, column in by_id.items():
        if field_id not in fields and field_id <= last:
            raise Terminal(
                f"table {contract.name}: column {column.name} has field id {field_id} in the contract, which the "
                "table has had and dropped; new columns go to the end, and a migration names the id of what it drops"
            )
    new_ids = range(last + 1, max(by_id) + 1)
    return tuple(by_id.get(field_id) or shape.placeholder(field_id) for field_id in new_ids)


def _properties(metadata: TableMetadata, contract: Contract) -> dict[str, str]:
    """Return properties to set: those that are missing; with a migration due, also those with other values."""
    target, current = shape.properties(contract), metadata.properties
    if number(metadata) < contract.number:
        return {name: value for name, value in target.items() if current.get(name) != value}
    return {name: value for name, value in target.items() if name not in current}


def _check_drops(metadata: TableMetadata, contract: Contract, applied: int) -> None:
    """Raise Terminal for a migration that drops another column than it says, or one that files are partitioned by."""
    names = {field.field_id: field.name for field in metadata.schema().fields}
    partitioning = {part.source_id for spec in metadata.partition_specs for part in spec.fields}
    for migration in contract.migrations[applied:]:
        for name, field_id in migration.drop.items():
            if field_id in names and contract.renamed(names[field_id], after=applied) is not None:
                raise Terminal(
                    f"table {contract.name}: migration {migration.number} drops {name} as field id {field_id}, which "
                    f"is {names[field_id]} in the catalog; see the ids in docs/data-dictionary.md"
                )
            if field_id in partitioning:
                raise Terminal(
                    f"table {contract.name}: {name} cannot be dropped, files are partitioned by it; keep the column"
                )


def _contradiction(field_: NestedField, column: Column, contract: Contract) -> Terminal:
    return Terminal(
        f"table {contract.name}: field id {field_.field_id} is {field_.name} {shape.type_name(field_.field_type)} in "
        f"the catalog and {column.name} {column.type} in the contract; add columns at the end, widen types (int to "
        "long, float to double, more digits before the point), and put what else must change into a numbered migration"
    )
