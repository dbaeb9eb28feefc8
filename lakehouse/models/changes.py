"""What changed in the inputs of a model since its rows were computed: in the columns that it reads, and nothing else.

Read are the heads that the rows were computed from and those that are there now. Of a table that only grew, the new
files say it; of one that was replaced, both snapshots are summed up by hashes and compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier
from lakehouse.tables import appended, commit, data_files, views

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import duckdb

    from lakehouse.tables.catalog import Table
    from lakehouse.tables.contract import Contract

_BUCKETS: Final = (
    4096  # into which rows are summed up, before those of buckets that differ are by what they are of
)


class CannotTellError(Exception):
    """What changed cannot be told, or is too much: all rows are computed. The message says why."""


class Changes:
    """The inputs of a model as they were and as they are.

    `tables` are as they are to be seen, `contracts` those of all tables, by name.
    `known` are the heads that the rows were computed from, "" for a table that was not there. `reads` are the columns
    that the model reads of its inputs, by name; of an input that is not named there, all are.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        contracts: Mapping[str, Contract],
        known: Mapping[str, str],
        reads: Mapping[str, Collection[str]],
    ) -> None:
        self.tables = tables
        self._contracts = contracts
        self._known = known
        self._reads = reads

    def now(self, name: str) -> str:
        """Return the SELECT of an input as it is."""
        contract = self._contracts[name]
        table = self.tables.get(name)
        return views.nothing_sql(contract) if table is None else views.scan_as_sql(table, contract)

    def before(self, name: str) -> str:
        """Return the SELECT of an input as it was; CannotTellError where that is gone or had other columns."""
        contract = self._contracts[name]
        head = self._known.get(name, "")
        if not head:
            return views.nothing_sql(contract)
        table = self.tables.get(name)
        kept = (
            [] if table is None else [one for one in table.metadata.snapshots if commit.head_of(one) == head]
        )
        if table is None or not kept:
            raise CannotTellError(f"the snapshot of {name} has expired")
        if kept[-1].schema_id != table.metadata.current_schema_id:
            raise CannotTellError(f"{name} had other columns")
        return views.scan_as_sql(table, contract, views.scan_sql(table, kept[-1].snapshot_id))

    def came(self, name: str) -> str | None:
        """Return the SELECT of the rows that came to an input; None where it did not only grow."""
        head = self._known.get(name, "")
        paths = appended.paths_since(self.tables[name], head) if head and name in self.tables else None
        if paths is None:
            return None
        table = self.tables[name]
        return data_files.read_sql(table, paths) if paths else f"{views.scan_sql(table)} LIMIT 0"

    def changed(self, name: str, by: str) -> str:
        """Return the SELECT of what `by`, an expression, says of rows that came to an input, or went: as `grain`.

        Rows are first summed up into few buckets: nearly all of them are in buckets in which nothing changed.
        """
        came = self.came(name)
        if came is not None:
            return f"SELECT {by} AS grain FROM ({came})"
        hashed = self._hash_sql(name)
        rows = (
            f"SELECT {by} AS grain, hash({by}) % {_BUCKETS} AS bucket, 1 AS sign, {hashed} AS content "
            f"FROM ({self.now(name)}) UNION ALL "
            f"SELECT {by}, hash({by}) % {_BUCKETS}, -1, {hashed} FROM ({self.before(name)})"
        )
        differs = "HAVING sum(sign) <> 0 OR sum(sign * CAST(content AS HUGEINT)) <> 0"
        buckets = f"SELECT bucket FROM ({rows}) GROUP BY bucket {differs}"
        return f"SELECT grain FROM ({rows}) WHERE bucket IN ({buckets}) GROUP BY grain {differs}"

    def are_none(self, con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> bool:
        """Return whether no row of these inputs is another one, as far as the model reads it."""
        listed = sorted(names)
        if any(self._grew(name) for name in listed):
            return False
        return all(self._is_same(con, name) for name in listed)

    def _grew(self, name: str) -> bool:
        return bool(
            (head := self._known.get(name, ""))
            and name in self.tables
            and appended.paths_since(self.tables[name], head)
        )

    def _is_same(self, con: duckdb.DuckDBPyConnection, name: str) -> bool:
        try:
            states = (self.before(name), self.now(name))
        except CannotTellError:
            return False
        sums = [
            con.execute(f"SELECT count(*), sum({self._hash_sql(name)}) FROM ({rows})").fetchall()
            for rows in states
        ]
        return sums[0] == sums[1]

    def _hash_sql(self, name: str) -> str:
        columns = [column.name for column in self._contracts[name].columns]
        read = self._reads.get(name)
        kept = columns if read is None else [column for column in columns if column in read]
        return f"hash({', '.join(map(identifier, kept))})" if kept else "0"
