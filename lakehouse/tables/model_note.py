"""What is wrong with the model of a table, noted in the table's properties: its rows are older than they should be.

A property is no snapshot: nobody who waits for new rows is woken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyiceberg.exceptions import CommitFailedException

if TYPE_CHECKING:
    from lakehouse.tables.catalog import Table

_PROPERTY: Final = "lakehouse.model-error"


def noted(table: Table) -> str:
    """Return what is wrong with the table's model, "" where nothing is."""
    return table.properties.get(_PROPERTY, "")


def note(table: Table, wrong: str) -> None:
    """Note what is wrong, or by "" that nothing is; the same once more writes nothing.

    Who loses a race leaves it to the next run.
    """
    if wrong == noted(table):
        return
    try:
        with table.transaction() as transaction:
            if wrong:
                transaction.set_properties({_PROPERTY: wrong})
            else:
                transaction.remove_properties(_PROPERTY)
    except CommitFailedException:
        return
