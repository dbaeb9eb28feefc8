"""What one system has of a chunk: an office of each city works with one CRM, and each channel sells with one shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lakehouse.sample.company.random_arrays import Flags, Ints
from lakehouse.sample.company.world.chunk import CHUNKS_A_TEAM, PEOPLE
from lakehouse.sample.company.world.shopping import APP, SITE, STORE

if TYPE_CHECKING:
    import pyarrow as pa

    from lakehouse.sample.company.world.chunk import Chunk

# Which CRMs' offices have their leads in a system: some fill a form, since their CRM cannot hold leads.
LEADS = {
    "salesforce": ("salesforce",),
    "zoho": ("zoho",),
    "crm": ("crm",),
    "jiandaoyun": ("hubspot", "wukong", "huoban"),
}
_SHOP_OF_CHANNEL = {
    STORE: 0,
    SITE: 1,
    APP: 2,
}  # which of the shops has the orders of a channel; else the last


class SystemRecords:
    """The records of those people whom a system is used for.

    Columns are those of the `Chunk`, of these records alone; a column that refers to another table still counts the
    rows of all of that table.
    """

    def __init__(self, chunk: Chunk, uses_system: Flags, rows: dict[str, Ints] | None = None) -> None:
        """Take the chunk, whose people the system is used for, and the rows of tables of which it has fewer."""
        self.chunk, self._uses_system, self._rows = chunk, uses_system, rows or {}

    @property
    def is_empty(self) -> bool:
        """No office works with the system."""
        return not self._uses_system.any()

    @property
    def starts_team(self) -> bool:
        """Whether these are of a team's first chunk, with which its users are written."""
        return self.chunk.number % CHUNKS_A_TEAM == 0

    def row_numbers(self, table: str) -> Ints:
        """Return which rows of a table are the system's."""
        if table not in self._rows:
            person = self.chunk.array(table, "person") - self.chunk.number * PEOPLE
            self._rows[table] = np.flatnonzero(self._uses_system[person])
        return self._rows[table]

    def filtered(self, table: str, keep: Flags) -> SystemRecords:
        """Return the records with some of those of one table alone, given a flag for each."""
        rows = self.row_numbers(table)[keep]
        return SystemRecords(self.chunk, self._uses_system, self._rows | {table: rows})

    def array(self, table: str, column: str) -> Any:
        """Return a column as a numpy array."""
        return self.chunk.array(table, column)[self.row_numbers(table)]

    def column(self, table: str, column: str) -> pa.Array:
        """Return a column as an Arrow array."""
        return self.chunk.column(table, column, self.row_numbers(table))

    def person_array(self, table: str, column: str) -> Any:
        """Return what is true of the person behind each record, as a numpy array."""
        return self.chunk.array("persons", column)[self.array(table, "row")]

    def person_column(self, table: str, column: str) -> pa.Array:
        """Return what is true of the person behind each record, as an Arrow array."""
        return self.chunk.column("persons", column, self.array(table, "row"))

    def user_column(self, table: str, column: str, role: str = "owner") -> pa.Array:
        """Return what is known of the user who looks after each record: its `owner`, or a ticket's `agent`."""
        return self.chunk.column("staff", column, self.array(table, role))


def records_of(chunk: Chunk, *systems: str) -> SystemRecords:
    """Return what these CRMs have: the office of each city works with one CRM."""
    crms = chunk.scenario.crms
    is_among = np.array([crm in systems for crm in crms])
    office = chunk.array("persons", "city") % len(crms)
    return SystemRecords(chunk, is_among[office])


def is_sold_by(chunk: Chunk, system: str) -> Flags:
    """Return which orders a shop's system has."""
    shops = chunk.scenario.shops
    shop_indexes = [
        min(_SHOP_OF_CHANNEL[channel], len(shops) - 1) for channel in range(len(_SHOP_OF_CHANNEL))
    ]
    sells_in_channel = np.array([shops[index] == system for index in shop_indexes])
    sold: Flags = sells_in_channel[chunk.array("orders", "channel")]
    return sold
