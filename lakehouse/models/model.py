"""What a model is: the SELECT of one table, the table's contract, and what its rows must satisfy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakehouse.tables.contract import Contract


@dataclass(frozen=True)
class Audit:
    """A condition in SQL over the columns of a table that none of its rows may contradict; null contradicts nothing."""

    name: str
    condition: str


@dataclass(frozen=True)
class Model:
    """One model. `inputs` are the tables that its SQL reads, `mapped.<entity>` for what the sources map.

    `as_of` says whether its rows depend on the day that is looked back from, `time_zone` whether on the zone of the
    business: it asks for the variable of that name. `where` names its file. The lines of `sql` are those of the file.
    Of a model with `unique_key` it is looked at that each row has a key, and no other row the same.
    """

    contract: Contract
    inputs: tuple[str, ...]
    sql: str
    as_of: bool = False
    time_zone: bool = False
    where: str = ""
    audits: tuple[Audit, ...] = ()
    unique_key: bool = False

    @property
    def table(self) -> str:
        """Return the name of the table that the model fills."""
        return self.contract.name

    @property
    def version(self) -> str:
        """Return what changes when the SQL, the columns or the audits change: the rows are then computed anew."""
        columns = [(column.name, column.type) for column in self.contract.columns]
        content = (self.sql.strip(), columns, self.audits, self.unique_key)
        return hashlib.sha256(repr(content).encode()).hexdigest()[:16]
