"""Transactions that stage changes: pyiceberg's, without a copy of a table's history at each question.

`Transaction.table_metadata` copies all that is known of a table, every snapshot and its summary, and a commit asks for
it some fifteen times. Its readers change nothing of it, and it stays the same until something is staged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.table import Transaction

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import TableUpdate


class StagingTransaction(Transaction):
    """A transaction that computes the staged metadata once for each state of the table and of its own updates."""

    _staged: tuple[TableMetadata, tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """Return the table's metadata with what is staged; callers must not change it."""
        base, updates = self._table.metadata, self._updates
        if self._staged is None or self._staged[0] is not base or self._staged[1] is not updates:
            self._staged = base, updates, super().table_metadata
        return self._staged[2]


def begin(table: Table) -> Transaction:
    """Return a transaction on a table as it was loaded."""
    return StagingTransaction(table)
