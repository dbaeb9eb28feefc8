"""What a model is: the SELECT of one table, the table's contract, and what its rows must satisfy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.engine import sql_functions, user_agents
from lakehouse.engine.escape import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.tables.contract import Contract


@dataclass(frozen=True)
class Audit:
    """A condition in SQL over the columns of a table that none of its rows may contradict; null contradicts nothing."""

    name: str
    condition: str


@dataclass(frozen=True)
class Appended:
    """The rows of a model are those of each batch of new rows of `table` together: who reads them adds them up."""

    table: str


Columns = str | tuple[str, str]  # an expression of columns, or the columns of a user and of a device


@dataclass(frozen=True)
class ByGrain:
    """Rows of a model of which the expression `by` says the same follow from the rows of its inputs that belong to it.

    `of` names for an input the expression that says the same as `by`; for rows that only say which user and device they
    are of, both columns: whose they are, `core.identities` says. For an input whose rows belong to rows of others, it
    names these and the column that both have (of identities: the columns of a user and of a device): a change touches
    the grains of those rows. An input that is not named is everybody's.
    """

    by: str
    of: Mapping[str, Columns | Mapping[str, Columns]]

    @property
    def direct(self) -> dict[str, str]:
        """Return the inputs whose rows say their grain, with the expression in brackets."""
        return {name: f"({by})" for name, by in self.of.items() if isinstance(by, str)}

    @property
    def of_people(self) -> dict[str, tuple[str, str]]:
        """Return the inputs whose rows say a user and a device, with these columns."""
        return {name: by for name, by in self.of.items() if isinstance(by, tuple)}

    @property
    def joined(self) -> dict[str, Mapping[str, Columns]]:
        """Return the inputs whose rows belong to rows of others: by these, the columns that both have."""
        return {name: by for name, by in self.of.items() if not isinstance(by, str | tuple)}

    def expressions(self) -> list[tuple[str, str]]:
        """Return the inputs with the expressions that are asked of their rows."""
        found: list[tuple[str, Columns]] = []
        for name, by in self.of.items():
            if isinstance(by, str | tuple):
                found.append((name, by))
            else:
                found += [(table, columns) for table, columns in by.items()]
                found += [(name, columns) for columns in by.values() if isinstance(columns, str)]
        return [(name, each) for name, by in found for each in ([by] if isinstance(by, str) else by)]


@dataclass(frozen=True)
class Model:
    """One model. `inputs` are the tables that its SQL reads, `mapped.<entity>` for what the sources map.

    `as_of` says whether its rows depend on the day that is looked back from, `time_zone` whether on the zone of the
    business: it asks for the variable of that name. `where` names its file. The lines of `sql` are those of the file.
    `incremental` says which rows follow from which, so that not all need to be computed again.
    `star`: its SELECT says `*`, and only DuckDB knows which columns it yields.
    Of a model with `unique_key` it is looked at that each row has a key, and no other row the same.
    `view`: nothing is written, who reads it runs its SELECT. Of a model that reads views, `inputs` are the tables
    behind them, and `views` they themselves, those that others read first.
    `only_on` names the one engine that gives its rows, where not all do: what is only on Spark is not computed here.
    """

    contract: Contract
    inputs: tuple[str, ...]
    sql: str
    as_of: bool = False
    time_zone: bool = False
    where: str = ""
    audits: tuple[Audit, ...] = ()
    unique_key: bool = False
    incremental: Appended | ByGrain | None = None
    star: bool = False
    view: bool = False
    views: tuple[Model, ...] = ()
    only_on: str = ""

    @property
    def table(self) -> str:
        """Return the name of the table that the model fills."""
        return self.contract.name

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the tables that it reads, and the views."""
        return (*self.inputs, *(view.table for view in self.views))

    @property
    def version(self) -> str:
        """Return what changes when the SQL, the columns or the audits change: the rows are then computed anew.

        So they are when a function that the SQL calls gives other answers.
        """
        columns = [(column.name, column.type) for column in self.contract.columns]
        content: tuple[object, ...] = (
            self.sql.strip(), columns, self.audits, self.unique_key, self.incremental,
        )  # fmt: skip
        if self.views:
            content = (*content, [(view.table, view.sql.strip()) for view in self.views])
        sql = " ".join((self.sql, *(view.sql for view in self.views)))
        if sql_functions.uses_functions(sql):
            content = (*content, sql_functions.version())
        if user_agents.is_called(sql):
            content = (*content, user_agents.version())
        return hashlib.sha256(repr(content).encode()).hexdigest()[:16]

    @property
    def rows_sql(self) -> str:
        """Return the SELECT of the columns of the contract, in its order, with its types."""
        cells = (
            f"CAST({identifier(column.name)} AS {column.duck_type}) AS {identifier(column.name)}"
            for column in self.contract.columns
        )
        return f"SELECT {', '.join(cells)} FROM ({self.sql}\n)"
