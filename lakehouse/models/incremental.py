"""Which rows of a model follow from what changed since its rows were computed.

What is cut away of an input may be too little and never too much: the rows of other grains are not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier
from lakehouse.models.changes import CannotTellError
from lakehouse.models.policy import IncrementalPolicy
from lakehouse.tables import appended, content
from lakehouse.tables.people import IDENTITIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import duckdb

    from lakehouse.models.changes import Changes
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


class AffectedGrains:
    """The grains of a model whose rows may differ, as the table `affected` (`grain`) of a connection."""

    def __init__(self, con: duckdb.DuckDBPyConnection, grain: ByGrain, changes: Changes) -> None:
        self._con = con
        self._grain = grain
        self._changes = changes

    def find(self, known: Mapping[str, str], expected: Mapping[str, str], rows: int) -> int:
        """Make `affected` and return how many grains it has; CannotTellError where all `rows` are better computed."""
        if not known:
            raise CannotTellError(_NEVER)
        check_others(known, expected, self._grain.of.keys())
        moved = {name for name in self._grain.of if known.get(name, "") != expected[name]}
        self._check_costs(moved, rows)
        parts = [self._changes.changed(name, by) for name, by in self._grain.direct.items() if name in moved]
        parts += self._owners(moved)
        for name, columns_of in self._grain.joined.items():
            if name in moved:
                parts += [self._belonging(name, table, columns) for table, columns in columns_of.items()]
        union = " UNION ALL ".join(parts) or "SELECT NULL AS grain"
        self._con.execute(
            f"CREATE OR REPLACE TEMP TABLE affected AS SELECT DISTINCT grain FROM ({union}) WHERE grain IS NOT NULL"
        )
        (count,) = self._con.execute("SELECT count(*) FROM affected").fetchall()[0]
        check_share(count, rows)
        return int(count)

    def cut_inputs(self) -> dict[str, str]:
        """Return by input the SELECT of no more rows than the affected grains may follow from."""
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
            cut[name] = f"SELECT * FROM ({self._changes.now(name)}) WHERE {kept}"
        return cut

    def _check_costs(self, moved: set[str], rows: int) -> None:
        """Raise CannotTellError where to find out what changed takes about as long as to compute all `rows`."""
        tables = self._changes.tables
        sizes = {name: content.row_count(tables[name]) for name in self._grain.of if name in tables}
        everything = rows + sum(sizes.values())
        if everything < IncrementalPolicy.least_rows:
            raise CannotTellError(
                f"it and what says what changed have fewer than {IncrementalPolicy.least_rows} rows"
            )
        compared = {name: self._changes.rows_to_compare(name) for name in moved}
        if sum(compared.values()) > everything * IncrementalPolicy.largest_comparison:
            replaced = sorted(name for name, count in compared.items() if count)
            raise CannotTellError(f"{', '.join(replaced)} were replaced: to compare them is no cheaper")

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
        found = []
        for name, columns in self._grain.of_people.items():
            if name not in self._changes.tables or not moved & {name, IDENTITIES.name}:
                continue
            touched = [f"SELECT {_names(columns)} FROM ({self._came(name)})"] if name in moved else []
            heads = [self._changes.now(IDENTITIES.name)]
            if IDENTITIES.name in moved:
                touched.append(
                    f"SELECT {_names(columns)} FROM ({self._changes.now(name)}) "
                    f"WHERE {self._carries_changed_identifier(columns)}"
                )
                heads.append(self._changes.before(IDENTITIES.name))
            found += [_owner_sql(" UNION ".join(touched), columns, identities) for identities in heads]
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


def check_share(affected: int, rows: int) -> None:
    """Raise CannotTellError where so many of a table's rows may differ that all are computed sooner."""
    if affected > rows * IncrementalPolicy.largest_share:
        raise CannotTellError(f"{affected} of its {rows} rows may differ")


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
