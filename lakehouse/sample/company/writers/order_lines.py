"""The lines of the orders that one system sold, with what is known of their orders: for exports of a row a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lakehouse.sample.company.random_arrays import Flags, Ints
from lakehouse.sample.company.writers.system_records import is_sold_by

if TYPE_CHECKING:
    import pyarrow as pa

    from lakehouse.sample.company.world.chunk import Chunk


class OrderLines:
    """A row a line, in the order of lines; every column has one value for each of them."""

    def __init__(self, chunk: Chunk, system: str) -> None:
        """Take the lines of a chunk that a shop's system has."""
        self.chunk = chunk
        self._line: Ints = np.flatnonzero(is_sold_by(chunk, system)[chunk.array("items", "order")])
        self._order: Ints = chunk.array("items", "order")[self._line]

    def __len__(self) -> int:
        return len(self._line)

    def item_array(self, column: str) -> Any:
        """Return a column of `items`."""
        return self.chunk.array("items", column)[self._line]

    def order_array(self, column: str) -> Any:
        """Return a column of `orders`."""
        return self.chunk.array("orders", column)[self._order]

    def order_column(self, column: str) -> pa.Array:
        """Return a column of `orders` as an Arrow array."""
        return self.chunk.column("orders", column, self._order)

    def person_array(self, column: str) -> Any:
        """Return what is true of the person who ordered."""
        return self.chunk.array("persons", column)[self.order_array("row")]

    def person_column(self, column: str) -> pa.Array:
        """Return what is true of the person who ordered, as an Arrow array."""
        return self.chunk.column("persons", column, self.order_array("row"))

    def account_array(self, column: str) -> Any:
        """Return a column of the account that it was ordered with."""
        return self.chunk.array("accounts", column)[self.order_array("account")]

    def account_column(self, column: str) -> pa.Array:
        """Return a column of the account that it was ordered with, as an Arrow array."""
        return self.chunk.column("accounts", column, self.order_array("account"))

    def is_returned(self) -> Flags:
        """Return whether the order came back."""
        return np.isin(self._order, self.chunk.array("returns", "order"))
