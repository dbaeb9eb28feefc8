"""Which rows of a model follow from what changed since its rows were computed.

Read are the heads that the rows were computed from and those that are there now. Of a table that only grew, the new
files say it; of one that was replaced, what both snapshots say of each grain, compared by sums of hashes. What is cut
away of an input may be too little and never too much: the rows of other grains are not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier
from lakehouse.models.policy import IncrementalPolicy
from lakehouse.tables import appended, commit, data_files, views
from lakehouse.tables.people import IDENTITIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import duckdb

    from lakehouse.models.model import ByGrain
    from lakehouse.tables.catalog import Table
    from lakehouse.tables.contract import Contract

_NEVER: Final = "its rows were never computed"


class CannotTellError(Exception):
    """What changed cannot be told, or is too much: all rows are computed. The message says why."""


def new_files(
    table: Table | None, name: str, known: Mapping[str, str], expected: Mapping[str, str]
) -> list[str]:
    """Return the data files of the rows of `name` that came since `known`; CannotTellError where others changed.

    `known` and `expected` are what the model's rows were computed from, and what they should be.
    """
    _check_others(known, expected, {name})
    paths = (
        appended.paths_since(table, known.get(name, ""))
        if table is not None and known.get(name, "")
        else None
    )
    if paths is None:
        raise CannotTellError(f"{name} did not only grow")
    return paths


class AffectedGrains:
    """The grains of a model whose rows may differ, as the table `affected` (`grain`) of a connection.

    `tables` are as they are to be seen, `contracts` those of all tables, by name.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        grain: ByGrain,
        tables: Mapping[str, Table],
        contracts: Mapping[str, Contract],
    ) -> None:
        self._con = con
        self._grain = grain
        self._tables = tables
        self._contracts = contracts

    def find(self, known: Mapping[str, str], expected: Mapping[str, str], rows: int) -> int:
        """Make `affected` and return how many grains it has; CannotTellError where all `rows` are better computed."""
        if rows < IncrementalPolicy.least_rows:
            raise CannotTellError(f"it has fewer than {IncrementalPolicy.least_rows} rows")
        _check_others(known, expected, self._grain.of.keys())
        moved = {name for name in self._grain.of if known.get(name, "") != expected[name]}
        parts = [
            self._changed(name, known.get(name, ""), column)
            for name, column in self._grain.of.items()
            if name in moved and isinstance(column, str)
        ]
        parts += self._owners(moved, known)
        union = " UNION ALL ".join(parts) or "SELECT NULL AS grain"
        self._con.execute(
            f"CREATE OR REPLACE TEMP TABLE affected AS SELECT DISTINCT grain FROM ({union}) WHERE grain IS NOT NULL"
        )
        (count,) = self._con.execute("SELECT count(*) FROM affected").fetchall()[0]
        if count > rows * IncrementalPolicy.largest_share:
            raise CannotTellError(f"{count} of its {rows} rows may differ")
        return int(count)

    def cut_inputs(self) -> dict[str, str]:
        """Return by input the SELECT of no more rows than the affected grains may follow from."""
        identities = self._scan(IDENTITIES.name)
        cut = {}
        for name, columns in self._grain.of.items():
            if name == IDENTITIES.name or name not in self._tables:
                continue  # whose another row is, identities of others say, too
            if isinstance(columns, str):
                kept = f"{identifier(columns)} IN (SELECT grain FROM affected)"
            else:
                kept = " OR ".join(
                    f"{identifier(column)} IN (SELECT identifier_value FROM ({identities}) "
                    f"WHERE identifier_type = '{column}' AND customer_id IN (SELECT grain FROM affected))"
                    for column in columns
                )
            cut[name] = f"SELECT * FROM ({self._scan(name)}) WHERE {kept}"
        return cut

    def _changed(self, name: str, head: str, column: str) -> str:
        """Return the SELECT of the grains of rows that came to an input since a head, or went."""
        paths = appended.paths_since(self._tables[name], head) if head and name in self._tables else None
        if paths is not None:
            return f"SELECT {identifier(column)} AS grain FROM ({self._new_rows(name, paths)})"
        before, after = (
            self._summed(self._before(name, head), name, column),
            self._summed(self._scan(name), name, column),
        )
        return (
            f"SELECT coalesce(b.key, a.key) AS grain FROM ({before}) AS b FULL JOIN ({after}) AS a USING (key) "
            "WHERE b.n IS DISTINCT FROM a.n OR b.content IS DISTINCT FROM a.content"
        )

    def _owners(self, moved: set[str], known: Mapping[str, str]) -> list[str]:
        """Return the SELECTs of whom rows belong or belonged to that say but user and device, where either changed."""
        keyed = {name: columns for name, columns in self._grain.of.items() if not isinstance(columns, str)}
        found = []
        for name, columns in keyed.items():
            if name not in self._tables or not moved & {name, IDENTITIES.name}:
                continue
            touched = (
                [f"SELECT {_names(columns)} FROM ({self._came(name, known.get(name, ''))})"]
                if name in moved
                else []
            )
            if IDENTITIES.name in moved:
                touched.append(self._of_other_owners(name, columns, known))
            rows = " UNION ".join(touched)
            heads = [self._scan(IDENTITIES.name)]
            if IDENTITIES.name in moved:
                heads.append(self._before(IDENTITIES.name, known.get(IDENTITIES.name, "")))
            found += [_owner_sql(rows, columns, identities) for identities in heads]
        return found

    def _of_other_owners(self, name: str, columns: tuple[str, str], known: Mapping[str, str]) -> str:
        """Return the SELECT of the rows of an input with an identifier that became another customer's."""
        before = self._before(IDENTITIES.name, known.get(IDENTITIES.name, ""))
        changed = (
            f"SELECT identifier_type, identifier_value FROM ({before}) AS b "
            f"FULL JOIN ({self._scan(IDENTITIES.name)}) AS a USING (identifier_type, identifier_value) "
            "WHERE b.customer_id IS DISTINCT FROM a.customer_id"
        )
        kept = " OR ".join(
            f"{identifier(column)} IN (SELECT identifier_value FROM ({changed}) WHERE identifier_type = '{column}')"
            for column in columns
        )
        return f"SELECT {_names(columns)} FROM ({self._scan(name)}) WHERE {kept}"

    def _came(self, name: str, head: str) -> str:
        paths = appended.paths_since(self._tables[name], head) if head else None
        if paths is None:
            raise CannotTellError(f"{name} did not only grow")
        return self._new_rows(name, paths)

    def _new_rows(self, name: str, paths: list[str]) -> str:
        table = self._tables[name]
        return data_files.read_sql(table, paths) if paths else f"{views.scan_sql(table)} LIMIT 0"

    def _summed(self, scan: str, name: str, column: str) -> str:
        columns = _names(each.name for each in self._contracts[name].columns)
        return (
            f"SELECT {identifier(column)} AS key, count(*) AS n, sum(hash({columns})) AS content FROM ({scan}) "
            "GROUP BY 1"
        )

    def _scan(self, name: str) -> str:
        contract = self._contracts[name]
        table = self._tables.get(name)
        return views.nothing_sql(contract) if table is None else views.scan_as_sql(table, contract)

    def _before(self, name: str, head: str) -> str:
        """Return the SELECT of a table as it was at a head; CannotTellError where that is gone or had other columns."""
        contract = self._contracts[name]
        if not head:
            return views.nothing_sql(contract)
        table = self._tables.get(name)
        kept = (
            [] if table is None else [one for one in table.metadata.snapshots if commit.head_of(one) == head]
        )
        if table is None or not kept:
            raise CannotTellError(f"the snapshot of {name} has expired")
        if kept[-1].schema_id != table.metadata.current_schema_id:
            raise CannotTellError(f"{name} had other columns")
        return views.scan_as_sql(table, contract, views.scan_sql(table, kept[-1].snapshot_id))


def _check_others(known: Mapping[str, str], expected: Mapping[str, str], may_move: Collection[str]) -> None:
    """Raise CannotTellError where something changed that is everybody's: SQL, day, zone, an input of all rows."""
    if not known:
        raise CannotTellError(_NEVER)
    moved = [name for name in expected.keys() | known.keys() if known.get(name) != expected.get(name)]
    if others := sorted(set(moved).difference(may_move)):
        raise CannotTellError(f"{others[0]} changed")


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
