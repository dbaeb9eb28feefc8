"""A table as a writer sees it whose contract may be older than the table.

While a release is rolled out, programs of both sides of it write. Iceberg reads columns by field id, so the older one
may go on: it writes under its own names the columns that it knows, in the table's types; readers find null in others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER

from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from pyiceberg.table.metadata import TableMetadata

    from lakehouse.tables.contract import Contract

Changes = dict[str, object]  # of metadata: fields and their other values


def for_writer(table: Table, contract: Contract) -> Table:
    """Return the table for a writer of this contract; Terminal when it is partitioned by columns unknown to it."""
    return _WriterTable(table, contract)


class _WriterTable(Table):
    """Shows the contract's columns and stays with one partition spec, whatever `refresh` brings.

    pyiceberg writes the manifest of a retried append for the table's newest spec, also when the data files were
    written for an older one: their partition values would be read as those of other columns.
    """

    def __init__(self, table: Table, contract: Contract) -> None:
        self._contract = contract
        self._spec_id = _newest_known_spec(table.metadata, contract)
        super().__init__(
            table._identifier,  # noqa: SLF001 - `name()` gives the same, but for REST catalogs
            table.metadata,
            table.metadata_location,
            table.io,
            table.catalog,
            table.config,
        )

    @property
    def metadata(self) -> TableMetadata:
        """Return the metadata as this writer sees it."""
        return self._writer_metadata

    @metadata.setter
    def metadata(self, value: TableMetadata) -> None:
        self._writer_metadata = _for_contract(value, self._contract, self._spec_id)


def _for_contract(metadata: TableMetadata, contract: Contract, spec_id: int) -> TableMetadata:
    """Return the metadata with the contract's columns, this partition spec, and no sort order by other columns."""
    names = {field_id: name for name, field_id in contract.field_ids().items()}
    changes: Changes = _schema_changes(metadata, names) | _sort_changes(metadata, names)
    if metadata.default_spec_id != spec_id:
        changes["default_spec_id"] = spec_id
    return metadata.model_copy(update=changes) if changes else metadata


def _schema_changes(metadata: TableMetadata, names: dict[int, str]) -> Changes:
    current = metadata.schema()
    if [(field.field_id, field.name) for field in current.fields] == sorted(names.items()):
        return {}
    known = [field for field in current.fields if field.field_id in names]
    renamed = [field.model_copy(update={"name": names[field.field_id]}) for field in known]
    replacement = Schema(*renamed, schema_id=current.schema_id)
    schemas = [
        replacement if schema.schema_id == current.schema_id else schema for schema in metadata.schemas
    ]
    return {"schemas": schemas}


def _sort_changes(metadata: TableMetadata, names: dict[int, str]) -> Changes:
    if all(field.source_id in names for field in metadata.sort_order().fields):
        return {}
    unsorted_id = UNSORTED_SORT_ORDER.order_id
    others = [order for order in metadata.sort_orders if order.order_id != unsorted_id]
    return {"sort_orders": [*others, UNSORTED_SORT_ORDER], "default_sort_order_id": unsorted_id}


def _newest_known_spec(metadata: TableMetadata, contract: Contract) -> int:
    """Return the table's default spec, or else its newest one, that uses none but the contract's columns."""
    known_ids = set(contract.field_ids().values())
    usable = [
        spec.spec_id
        for spec in metadata.partition_specs
        if all(field.source_id in known_ids for field in spec.fields)
    ]
    if not usable:
        raise Terminal(
            f"table {contract.name} is partitioned by columns that this program does not know; it needs a newer version"
        )
    return metadata.default_spec_id if metadata.default_spec_id in usable else max(usable)
