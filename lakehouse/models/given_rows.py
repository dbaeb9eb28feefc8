"""Models over a few given rows, in DuckDB alone: no table of the lake is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.engine import user_agents
from lakehouse.engine.escape import identifier
from lakehouse.models.inputs import AS_OF, MAPPED, TIME_ZONE
from lakehouse.sources.mappable_entities import VIEWS
from lakehouse.sources.read_contracts import read_contracts
from lakehouse.tables import views
from lakehouse.tables.catalog import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import duckdb

    from lakehouse.models.model import Model
    from lakehouse.models.registry import Models
    from lakehouse.sources.definition import Source

Row = dict[str, Any]
EVENTS = "core.events"
_LATER = {"_loaded_at": "TIMESTAMPTZ", "_file_id": "VARCHAR", "_row": "BIGINT"}  # of `mapped.*`


def column_types(models: Models, sources: Iterable[Source]) -> dict[str, dict[str, str]]:
    """Return the columns of all that a model may read, with their DuckDB types, by name."""
    contracts = models.contracts | read_contracts(sources)
    types = {
        name: {column.name: column.duck_type for column in contract.columns}
        for name, contract in contracts.items()
    }
    types |= {f"{MAPPED}.{entity}": columns | _LATER for entity, columns in VIEWS.items()}
    types[EVENTS] = {"customer_id": "VARCHAR"} | types["raw.events"]
    return types


class GivenRows:
    """Tables of given rows on a connection of `lakehouse.engine.duck`, and models that are computed over them.

    An input that is not given is computed, where its model reads given rows, directly or by others; else it is empty.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, models: Models, sources: Iterable[Source]) -> None:
        self._con = con
        self._models = models.by_table
        self._types = column_types(models, sources)
        self._given: dict[str, list[Row]] = {}
        self._made: set[str] = set()

    def types_of(self, name: str) -> dict[str, str]:
        """Return the columns of a table or of `mapped.<entity>`, with their DuckDB types."""
        return self._types[name]

    def make_inputs(
        self, model: Model, given: Mapping[str, Iterable[Row]], as_of: date, time_zone: str
    ) -> None:
        """Make all that a model reads; what was there before is gone.

        A cell that a row does not name is null. Raises ValueError for rows of a table that nothing here reads, and for
        cells of a column that a table does not have.
        """
        user_agents.create_for(self._con, model.sql)  # `rows_sql` is not all that is asked of it
        self._start(as_of, time_zone)
        self._given = {name: list(rows) for name, rows in given.items()}
        for name in model.inputs:
            self._make(name)
        self._make_events()
        for view in model.views:
            if view.table in self._given:
                self._fill(view.table)
            else:
                self._con.execute(f"CREATE VIEW {view.table} AS {view.rows_sql}")
        if unread := self._given.keys() - self._made:
            raise ValueError(f"{model.table} does not read {', '.join(sorted(unread))}")

    def rows_sql(self, model: Model) -> str:
        """Return the SELECT of a model's rows, with the columns and types of its table."""
        user_agents.create_for(self._con, model.sql)
        cells = (
            f"CAST({identifier(name)} AS {kind}) AS {identifier(name)}"
            for name, kind in self._types[model.table].items()
        )
        return f"SELECT {', '.join(cells)} FROM ({model.sql}\n)"

    def _start(self, as_of: date, time_zone: str) -> None:
        self._made = set()
        for namespace in (*NAMESPACES, MAPPED):
            self._con.execute(f"DROP SCHEMA IF EXISTS {namespace} CASCADE")
            self._con.execute(f"CREATE SCHEMA {namespace}")
        self._con.execute("SET TimeZone = 'UTC'")
        self._con.execute(f"SET VARIABLE {AS_OF} = CAST(? AS DATE)", [as_of])
        self._con.execute(f"SET VARIABLE {TIME_ZONE} = ?", [time_zone])

    def _make(self, name: str) -> None:
        if name in self._made:
            return
        if name in self._given or not self._reads_given(name):
            self._fill(name)
            return
        model = self._models[name]
        for needed in model.inputs:
            self._make(needed)
        self._make_events()
        self._con.execute(f"CREATE TABLE {name} AS {self.rows_sql(model)}")
        self._made.add(name)

    def _make_events(self) -> None:
        """Make `core.events` once the tables behind it are made: the view, or a table where its rows are given."""
        if EVENTS in self._made or not self._made.issuperset(("raw.events", "core.identities")):
            return
        if EVENTS in self._given:
            self._fill(EVENTS)
        else:
            self._con.execute(views.EVENTS)
            self._made.add(EVENTS)

    def _reads_given(self, name: str) -> bool:
        model = self._models.get(name)
        if model is None:
            return False
        return any(needed in self._given or self._reads_given(needed) for needed in model.inputs)

    def _fill(self, name: str) -> None:
        fill_table(self._con, name, self._types[name], self._given.get(name, ()))
        self._made.add(name)


def fill_table(
    con: duckdb.DuckDBPyConnection, name: str, types: Mapping[str, str], rows: Iterable[Row]
) -> None:
    """Make a table of these rows: `types` are its columns, a cell that a row does not name is null.

    Raises ValueError for cells of a column that the table does not have.
    """
    cells = ", ".join(f"{identifier(column)} {kind}" for column, kind in types.items())
    con.execute(f"CREATE TABLE {name} ({cells})")
    for row in rows:
        if unknown := row.keys() - types.keys():
            raise ValueError(f"{name} has no column {', '.join(sorted(unknown))}")
        if row:
            columns, marks = ", ".join(map(identifier, row)), ", ".join("?" * len(row))
            con.execute(f"INSERT INTO {name} ({columns}) VALUES ({marks})", list(row.values()))
        else:
            con.execute(f"INSERT INTO {name} DEFAULT VALUES")
