"""Brings a table to its contract in one commit, by optimistic concurrency: others commit rows all the while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER, NullOrder
from pyiceberg.table.update import AddSortOrderUpdate, AssertDefaultSortOrderId, SetDefaultSortOrderUpdate
from pyiceberg.transforms import IdentityTransform

from lakehouse.errors import CommitConflict
from lakehouse.retrying import retry_on_conflict
from lakehouse.tables.migrations import shape
from lakehouse.tables.migrations.schema_diff import Changes, plan
from lakehouse.tables.policy import MIGRATION_RETRIES
from lakehouse.tables.replace_files import stage_in_order

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.table import Table, Transaction

    from lakehouse.tables.contract import Contract


def migrate(catalog: Catalog, table: Table, contract: Contract) -> Table:
    """Return the table, changed where it lacks something of its contract; any number of callers may race.

    The table itself says which changes it has seen, so a repeat, a lost race and an answer that never came all end
    the same way: plan again. Raises `Terminal` when table and contract contradict each other, CommitConflict when the
    table was changed by others each time we tried.
    """
    current = table

    def plan_and_commit() -> Table:
        nonlocal current
        changes = plan(current.metadata, contract)
        if changes:
            current = _commit_or_reload(catalog, current, contract, changes)
            if plan(current.metadata, contract):
                raise CommitConflict(
                    f"{contract.name}: the table is changed by others all the time; try again"
                )
        return current

    return retry_on_conflict(plan_and_commit, MIGRATION_RETRIES)


def _commit_or_reload(catalog: Catalog, table: Table, contract: Contract, changes: Changes) -> Table:
    """Commit the changes; after any error return the table as it is now.

    Raises an error that is no lost race, unless the table has the changes all the same.
    """
    try:
        commit(table, contract, changes)
    except Exception as error:
        reloaded = catalog.load_table(contract.name)
        if not isinstance(error, CommitFailedException) and plan(reloaded.metadata, contract):
            raise
        return reloaded
    return table


def commit(table: Table, contract: Contract, changes: Changes) -> None:
    """Make the changes and raise the table's number in one commit; raises what the catalog raises."""
    with table.transaction() as transaction:
        stage_in_order(transaction)
        _change_columns(transaction, contract, changes)
        if changes.layout:
            _change_partition(transaction, contract)
            _change_sort_order(transaction, contract)
        if changes.properties:
            transaction.set_properties(changes.properties)


def _change_columns(transaction: Transaction, contract: Contract, changes: Changes) -> None:
    # One update for each kind of change: a name may be given up and taken again by another column.
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
    contract_names = {column.name for column in contract.columns}
    placeholders = [column for column in changes.added if column.name not in contract_names]
    with transaction.update_schema() as update:
        for column in placeholders:
            update.delete_column(column.name)


def _change_partition(transaction: Transaction, contract: Contract) -> None:
    """Let new files be partitioned as the contract says; old ones keep the spec they were written with.

    A spec that maintenance has made coarser, since days are small, stays.
    """
    spec, target_spec = transaction.table_metadata.spec(), shape.spec(contract)
    target, current = _names_by_transform(target_spec), _names_by_transform(spec)
    if target == current or shape.is_coarser(spec, target_spec):
        return
    columns = {field_id: name for name, field_id in contract.field_ids().items()}
    with transaction.update_spec() as update:
        for key, name in current.items():
            if key not in target:
                update.remove_field(name)
            elif target[key] != name:
                update.rename_field(name, target[key])
        for key, name in target.items():
            if key not in current:
                source_id, transform = key
                update.add_field(columns[source_id], shape.TRANSFORMS[transform](), name)


def _names_by_transform(spec: PartitionSpec) -> dict[tuple[int, str], str]:
    """Return the name of each partition field by the column's field id and its transform."""
    return {(field.source_id, str(field.transform)): field.name for field in spec.fields}


def _change_sort_order(transaction: Transaction, contract: Contract) -> None:
    metadata = transaction.table_metadata
    target = [field.source_id for field in shape.sort_order(contract).fields]
    current = metadata.sort_order_by_id(metadata.default_sort_order_id) or UNSORTED_SORT_ORDER
    if target == [field.source_id for field in current.fields]:
        return
    if not target:
        _remove_sort_order(transaction)
        return
    with transaction.update_sort_order() as update:
        for name in contract.sort:
            update.asc(name, IdentityTransform(), NullOrder.NULLS_FIRST)


def _remove_sort_order(transaction: Transaction) -> None:
    # pyiceberg adds the order of no columns and then looks for it among those with larger ids.
    metadata = transaction.table_metadata
    unsorted_id = UNSORTED_SORT_ORDER.order_id
    is_new = metadata.sort_order_by_id(unsorted_id) is None
    add = (AddSortOrderUpdate(sort_order=UNSORTED_SORT_ORDER),) if is_new else ()
    transaction._apply(  # noqa: SLF001
        (*add, SetDefaultSortOrderUpdate(sort_order_id=unsorted_id)),
        (AssertDefaultSortOrderId(default_sort_order_id=metadata.default_sort_order_id),),
    )
