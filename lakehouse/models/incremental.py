"""Which rows of a model follow from what changed since its rows were computed.

What is cut away of an input may be too little and never too much: the rows of other grains are not kept.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier
from lakehouse.models.changes import CannotTellError
from lakehouse.models.policy import IncrementalPolicy
from lakehouse.models.select_statement import columns_of
from lakehouse.tables import appended, content
from lakehouse.tables.people import IDENTITIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import duckdb

    from lakehouse.models.changes import Changes
    from lakehouse.models.costs import Costs
    from lakehouse.models.model import ByGrain, Columns
    from lakehouse.tables.catalog import Table

_NEVER: Final = "its rows were never computed"
AFFECTED: Final = "(SELECT grain FROM affected)"


def new_files(
    table: Table | None, name: str, known: Mapping[str, str], expected: Mapping[str, str]
) -> list[str]:
    """Return the data files of the rows of `name` that came since `known`; CannotTellError where others changed.

    `known` and `expected` are what the model's rows were computed from, and what they should be.
    """
    check_others(known, expected, {name})
    paths = (
        appended.paths_since(table, known.get(name, ""))
        if table is not None and known.get(name, "")
        else None
    )
    if paths is None:
        raise CannotTellError(f"{name} did not only grow")
    return paths


class TooManyRowsError(CannotTellError):
    """Which rows may differ is known, and they are so many that all are computed sooner; `seconds` went to see that."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class AffectedGrains:
    """The grains of a model whose rows may differ, as the table `affected` (`grain`) of a connection."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, grain: ByGrain, changes: Changes, costs: Costs
    ) -> None:
        self._con = con
        self._grain = grain
        self._changes = changes
        self._costs = costs
        self._began = time.process_time()

    def find(self, known: Mapping[str, str], expected: Mapping[str, str], rows: int) -> int:
        """Make `affected` and return how many grains it has; CannotTellError where all `rows` are better computed."""
        if not known:
            raise CannotTellError(_NEVER)
        check_others(known, expected, self._grain.of.keys())
        moved = {name for name in self._grain.of if known.get(name, "") != expected[name]}
        self._check_costs(moved, rows)
        parts = [self._changes.changed(name, by) for name, by in self._grain.direct.items() if name in moved]
        parts += self._owners(moved)
        for name, by_table in self._grain.joined.items():
            if name in moved:
                parts += [self._belonging(name, table, columns) for table, columns in by_table.items()]
        union = " UNION ALL ".join(parts) or "SELECT NULL AS grain"
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE affected AS SELECT DISTINCT grain FROM ({union})")
        # as a condition of the SELECT, DuckDB would ask it of every row before those that belong are looked for
        self._con.execute("DELETE FROM affected WHERE grain IS NULL")
        (count,) = self._con.execute("SELECT count(*) FROM affected").fetchall()[0]
        self.check_share(int(count), rows)
        return int(count)

    def check_share(self, affected: int, rows: int) -> None:
        """Raise TooManyRowsError where so many of a table's rows may differ that all are computed sooner."""
        share = affected / max(rows, 1)
        if share > IncrementalPolicy.largest_share:
            raise TooManyRowsError(f"{affected} of its {rows} rows may differ", self._seconds())
        everything = self.rows_behind(rows)
        some = self._costs.of_some(everything, share, len(self._grain.of))
        seconds_of_all = self._costs.of_all(everything)
        if affected and some > seconds_of_all * IncrementalPolicy.largest_cost:
            message = f"some would take {some:.2f} s and all {seconds_of_all:.2f}, by the last runs"
            raise TooManyRowsError(message, self._seconds())

    def _seconds(self) -> float:
        return time.process_time() - self._began

    def rows_behind(self, rows: int) -> int:
        """Return how many rows a table of `rows` and the inputs that say what changed have together."""
        return rows + sum(self._rows_of(name) for name in self._grain.of)

    def cut_inputs(self) -> dict[str, str]:
        """Return by input the SELECT of no more rows than the affected grains may follow from.

        Of an input of more files than these grains have rows, about, those files alone are read that hold one.
        """
        [(grains,)] = self._con.execute("SELECT count(*) FROM affected").fetchall()
        most = grains * IncrementalPolicy.files_of_grain
        identities = self._changes.now(IDENTITIES.name)
        cut = {}
        for name, columns in (self._grain.direct | self._grain.of_people).items():
            if name == IDENTITIES.name or name not in self._changes.tables:
                continue  # whose another row is, identities of others say, too
            if isinstance(columns, str):
                kept = f"{columns} IN {AFFECTED}"
            else:
                kept = " OR ".join(
                    f"{identifier(column)} IN (SELECT identifier_value FROM ({identities}) "
                    f"WHERE identifier_type = '{column}' AND customer_id IN {AFFECTED})"
                    for column in columns
                )
            named = columns_of(columns) if isinstance(columns, str) else columns
            rows = self._changes.now_in_files(self._con, name, kept, named, most) or self._changes.now(name)
            cut[name] = f"SELECT * FROM ({rows}) WHERE {kept}"
        return cut

    def _check_costs(self, moved: set[str], rows: int) -> None:
        """Raise CannotTellError where to find out what changed takes about as long as to compute all `rows`."""
        everything = self.rows_behind(rows)
        if everything < IncrementalPolicy.least_rows:
            raise CannotTellError(
                f"it and what says what changed have fewer than {IncrementalPolicy.least_rows} rows"
            )
        compared = {name: self._changes.rows_to_compare(name) for name in moved}
        costs, inputs = self._costs, len(self._grain.of)
        if not costs.is_worth_looking(everything, sum(compared.values()), len(moved), inputs):
            raise CannotTellError("to look which changed is no cheaper than all, by the last runs")

    def _rows_of(self, name: str) -> int:
        return content.row_count(self._changes.tables[name]) if name in self._changes.tables else 0

    def _belonging(self, name: str, table: str, columns: Columns) -> str:
        """Return the SELECT of the grains of rows of `table` to which changed rows of `name` belong."""
        by = self._grain.direct[table]
        if table not in self._changes.tables:
            return "SELECT NULL AS grain"
        if isinstance(columns, str):
            kept = f"{columns} IN ({self._changes.changed(name, columns)})"
        else:
            kept = self._carries_changed_identifier(columns)
        return f"SELECT {by} AS grain FROM ({self._changes.now(table)}) WHERE {kept}"

    def _owners(self, moved: set[str]) -> list[str]:
        """Return the SELECTs of whom rows belong or belonged to that say but user and device, where either changed."""
        found: list[str] = []
        for name, columns in self._grain.of_people.items():
            if name not in self._changes.tables or not moved & {name, IDENTITIES.name}:
                continue
            touched = [f"SELECT {_names(columns)} FROM ({self._came(name)})"] if name in moved else []
            listed = f"touched_{len(found)}"
            heads = [self._changes.now(IDENTITIES.name)]
            if IDENTITIES.name in moved:
                touched.append(
                    f"SELECT {_names(columns)} FROM ({self._changes.now(name)}) "
                    f"WHERE {self._carries_changed_identifier(columns)}"
                )
                heads.append(self._changes.before(IDENTITIES.name))
            self._con.execute(f"CREATE OR REPLACE TEMP TABLE {listed} AS {' UNION '.join(touched)}")
            found += [_owner_sql(f"FROM {listed}", columns, identities) for identities in heads]
        return found

    def _carries_changed_identifier(self, columns: tuple[str, str]) -> str:
        """Return the condition that a row has an identifier that became another customer's."""
        owned = ("identifier_type", "identifier_value", "customer_id")
        changed = self._changes.differing_cells(IDENTITIES.name, owned)
        return " OR ".join(
            f"{identifier(column)} IN (SELECT identifier_value FROM ({changed}) WHERE identifier_type = '{column}')"
            for column in columns
        )

    def _came(self, name: str) -> str:
        came = self._changes.came(name)
        if came is None:
            raise CannotTellError(f"{name} did not only grow")
        return came


def check_others(known: Mapping[str, str], expected: Mapping[str, str], may_move: Collection[str]) -> None:
    """Raise CannotTellError where something changed that is everybody's: SQL, day, zone, an input of all rows."""
    if not known:
        raise CannotTellError(_NEVER)
    if others := sorted(moved(known, expected).difference(may_move)):
        raise CannotTellError(f"{others[0]} changed")


def moved(known: Mapping[str, str], expected: Mapping[str, str]) -> set[str]:
    """Return what differs between what rows were computed from and what they should be."""
    return {name for name in expected.keys() | known.keys() if known.get(name) != expected.get(name)}


def _owner_sql(rows: str, columns: tuple[str, str], identities: str) -> str:
    """Return the SELECT of the customers of rows by their user, else by their device."""
    joins = " ".join(
        f"LEFT JOIN ({identities}) AS by_{column} ON by_{column}.identifier_type = '{column}' "
        f"AND by_{column}.identifier_value = r.{identifier(column)}"
        for column in columns
    )
    owners = ", ".join(f"by_{column}.customer_id" for column in columns)
    return f"SELECT coalesce({owners}) AS grain FROM ({rows}) AS r {joins}"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(map(identifier, columns))
