"""Brings a table to its contract in one commit, and again until it is there: others commit rows all the while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER, NullOrder
from pyiceberg.table.update import AddSortOrderUpdate, AssertDefaultSortOrderId, SetDefaultSortOrderUpdate
from pyiceberg.transforms import IdentityTransform

from lakehouse.errors import CommitConflict
from lakehouse.tables.migrations import shape
from lakehouse.tables.migrations.schema_diff import Changes, plan

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table, Transaction

    from lakehouse.tables.contract import Contract

_ATTEMPTS = 20
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0  # seconds


def bring(catalog: Catalog, table: Table, contract: Contract) -> Table:
    """Return the table, changed where it lacks something of its contract; any number of callers may race.

    What is applied is said by the table itself, so a repeat, a lost race and an answer that never came all end the
    same way: look again. Raises `Terminal` when table and contract contradict each other, CommitConflict when the
    table was changed by others each time we tried.
    """
    for attempt in range(_ATTEMPTS):
        changes = plan(table.metadata, contract)
        if not changes:
            return table
        try:
            commit(table, contract, changes)
        except Exception as error:
            table = catalog.load_table(contract.name)
            if not isinstance(error, CommitFailedException) and plan(table.metadata, contract):
                raise
            time.sleep(min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT))
    raise CommitConflict(f"{contract.name}: the table is changed by others all the time; try again")


def commit(table: Table, contract: Contract, changes: Changes) -> None:
    """Make the changes and raise the table's number in one commit; raises what the catalog raises."""
    with table.transaction() as transaction:
        _columns(transaction, contract, changes)
        if changes.layout:
            _partition(transaction, contract)
            _sort(transaction, contract)
        if changes.properties:
            transaction.set_properties(changes.properties)


def _columns(transaction: Transaction, contract: Contract, changes: Changes) -> None:
    # Apart from each other: a name may be given up and taken again by another column.
    with transaction.update_schema() as update:
        for name in changes.drops:
            update.delete_column(name)
        for old, new in changes.renames.items():
            update.rename_column(old, new)
    with transaction.update_schema() as update:
        for column in changes.widened:
            update.update_column(column.name, shape.iceberg_type(column.type))
        for column in changes.added:
            update.add_column(column.name, shape.iceberg_type(column.type), column.doc)
        if changes.layout:
            for column in contract.columns:
                if column not in changes.added:
                    update.update_column(column.name, doc=column.doc)
    mine = {column.name for column in contract.columns}
    with transaction.update_schema() as update:
        for column in changes.added:
            if column.name not in mine:  # a placeholder
                update.delete_column(column.name)


def _partition(transaction: Transaction, contract: Contract) -> None:
    """Let new files be partitioned as the contract says; old ones keep the spec they were written with."""
    wanted = {(part.source_id, str(part.transform)): part.name for part in shape.spec(contract).fields}
    have = {
        (part.source_id, str(part.transform)): part.name for part in transaction.table_metadata.spec().fields
    }
    columns = {number: name for name, number in contract.field_ids().items()}
    if wanted == have:
        return
    with transaction.update_spec() as update:
        for key, name in have.items():
            if key not in wanted:
                update.remove_field(name)
            elif wanted[key] != name:
                update.rename_field(name, wanted[key])
        for key, name in wanted.items():
            if key not in have:
                update.add_field(columns[key[0]], shape.TRANSFORMS[key[1]](), name)


def _sort(transaction: Transaction, contract: Contract) -> None:
    metadata = transaction.table_metadata
    wanted = [part.source_id for part in shape.sort_order(contract).fields]
    now = metadata.sort_order_by_id(metadata.default_sort_order_id) or UNSORTED_SORT_ORDER
    if wanted == [part.source_id for part in now.fields]:
        return
    if wanted:
        with transaction.update_sort_order() as update:
            for name in contract.sort:
                update.asc(name, IdentityTransform(), NullOrder.NULLS_FIRST)
        return
    # pyiceberg adds the order of no columns and then looks for it among those with larger ids.
    unsorted = UNSORTED_SORT_ORDER.order_id
    new = metadata.sort_order_by_id(unsorted) is None
    add = (AddSortOrderUpdate(sort_order=UNSORTED_SORT_ORDER),) if new else ()
    transaction._apply(  # noqa: SLF001
        (*add, SetDefaultSortOrderUpdate(sort_order_id=unsorted)),
        (AssertDefaultSortOrderId(default_sort_order_id=metadata.default_sort_order_id),),
    )
