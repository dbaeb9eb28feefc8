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


def as_written(table: Table, contract: Contract) -> Table:
    """Return the table for a writer of this contract."""
    return _Written(table, contract)


class _Written(Table):
    """Shows the contract's columns and stays with one partition spec, whatever `refresh` brings.

    pyiceberg writes the manifest of a retried append for the table's newest spec, also when the data files were
    written for an older one: their partition values would be read as those of other columns.
    """

    def __init__(self, table: Table, contract: Contract) -> None:
        self._contract = contract
        self._spec_id = _spec(table.metadata, contract)
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
        return self._seen

    @metadata.setter
    def metadata(self, value: TableMetadata) -> None:
        self._seen = _seen(value, self._contract, self._spec_id)


def _seen(metadata: TableMetadata, contract: Contract, spec_id: int) -> TableMetadata:
    changed: dict[str, object] = {}
    if metadata.default_spec_id != spec_id:
        changed["default_spec_id"] = spec_id
    current = metadata.schema()
    names = {number: name for name, number in contract.field_ids().items()}
    if [(field.field_id, field.name) for field in current.fields] != sorted(names.items()):
        fields = [
            field.model_copy(update={"name": names[field.field_id]})
            for field in current.fields
            if field.field_id in names
        ]
        mine = Schema(*fields, schema_id=current.schema_id)
        changed["schemas"] = [mine if s.schema_id == mine.schema_id else s for s in metadata.schemas]
    if any(field.source_id not in names for field in metadata.sort_order().fields):
        others = [order for order in metadata.sort_orders if order.order_id != UNSORTED_SORT_ORDER.order_id]
        changed["sort_orders"] = [*others, UNSORTED_SORT_ORDER]
        changed["default_sort_order_id"] = UNSORTED_SORT_ORDER.order_id
    return metadata.model_copy(update=changed) if changed else metadata


def _spec(metadata: TableMetadata, contract: Contract) -> int:
    """Return the table's newest spec that uses none but the contract's columns."""
    known = set(contract.field_ids().values())
    specs = sorted(metadata.partition_specs, key=lambda spec: spec.spec_id)
    specs.sort(key=lambda spec: spec.spec_id == metadata.default_spec_id)
    for spec in reversed(specs):
        if all(part.source_id in known for part in spec.fields):
            return spec.spec_id
    raise Terminal(
        f"table {contract.name} is partitioned by columns that this program does not know; it needs a newer version"
    )
