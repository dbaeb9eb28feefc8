"""What changed in the inputs of a model since its rows were computed: in the columns that it reads, and nothing else.

Read are the heads that the rows were computed from and those that are there now. Of a table that only grew, the new
files say it; of one that was replaced, the rows that differ (`row_changes`), or, where they are too many, both
snapshots, summed up by hashes and compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier
from lakehouse.models.row_changes import SIGN
from lakehouse.tables import appended, commit, content, data_files, views

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    import duckdb

    from lakehouse.models.row_changes import RowChanges
    from lakehouse.tables.appended import Files
    from lakehouse.tables.catalog import Table
    from lakehouse.tables.contract import Contract

_FILE: Final = "_file_of_row"
_BUCKETS: Final = (
    4096  # into which rows are summed up, before those of buckets that differ are by what they are of
)


class CannotTellError(Exception):
    """What changed cannot be told, or is too much: all rows are computed. The message says why."""


class Changes:
    """The inputs of a model as they were and as they are.

    `tables` are as they are to be seen, `contracts` those of all tables, by name.
    `known` are the heads that the rows were computed from, "" for a table that was not there. `reads` gives the columns
    that the model reads of its inputs, by name; of an input that is not named there, all are. It is asked only where
    rows differ. `rows` are those that differ as far as they are known.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        contracts: Mapping[str, Contract],
        known: Mapping[str, str],
        reads: Callable[[], Mapping[str, Collection[str]]],
        rows: RowChanges,
    ) -> None:
        self.tables = tables
        self._contracts = contracts
        self._known = known
        self._reads = reads
        self._rows = rows

    def now(self, name: str) -> str:
        """Return the SELECT of an input as it is."""
        contract = self._contracts[name]
        table = self.tables.get(name)
        return views.nothing_sql(contract) if table is None else views.scan_as_sql(table, contract)

    def before(self, name: str) -> str:
        """Return the SELECT of an input as it was; CannotTellError where that is gone or had other columns."""
        found = self._snapshot_before(name)
        if found is None:
            return views.nothing_sql(self._contracts[name])
        return views.scan_as_sql(found[0], self._contracts[name], views.scan_sql(*found))

    def came(self, name: str) -> str | None:
        """Return the SELECT of the rows that came to an input; None where it did not only grow."""
        head = self._known.get(name, "")
        paths = appended.paths_since(self.tables[name], head) if head and name in self.tables else None
        if paths is None:
            return None
        table = self.tables[name]
        rows = data_files.read_sql(table, paths) if paths else f"{views.scan_sql(table)} LIMIT 0"
        return views.scan_as_sql(table, self._contracts[name], rows)

    def now_in_files(
        self, con: duckdb.DuckDBPyConnection, name: str, kept: str, columns: Iterable[str], most: int
    ) -> str | None:
        """Return the SELECT of the rows of those files of an input that hold one for which `kept` is true.

        `columns` are those of `kept`; they are read of all rows to find them. None where the input has no more files
        than `most`, or files of which not all rows are its own, or columns of a newer contract.
        """
        table = self.tables[name]
        files = appended.current_files(table)
        if files is None or len(files.paths) <= most:
            return None
        rows = data_files.read_sql(table, files.paths, file_column=_FILE)
        if views.scan_as_sql(table, self._contracts[name], rows) != rows:
            return None
        named = ", ".join(map(identifier, sorted({*columns, _FILE})))
        # of each of a file's values once: most rows say what another says, and a condition may be dear
        held = con.execute(
            f"SELECT DISTINCT {_FILE} FROM (SELECT DISTINCT {named} FROM ({rows})) WHERE {kept}"
        ).fetchall()
        paths = {data_files.plain_path(path) for (path,) in held}
        holding = [path for path in files.paths if data_files.plain_path(path) in paths]
        return data_files.read_sql(table, holding) if holding else f"SELECT * FROM ({self.now(name)}) LIMIT 0"

    def changed(self, name: str, by: str) -> str:
        """Return the SELECT of what `by`, an expression, says of rows that came to an input, or went: as `grain`."""
        came = self.came(name)
        if came is not None:
            return f"SELECT {by} AS grain FROM ({came})"
        differing = self._differing(name)
        if differing is None:
            return self._changed_by_buckets(name, by)
        hashed = self._hash_sql(name)
        return (
            f"SELECT DISTINCT grain FROM (SELECT {by} AS grain, {hashed} AS content, {SIGN} FROM {differing}) "
            f"GROUP BY grain, content HAVING sum({SIGN}) <> 0"
        )

    def differing_cells(self, name: str, columns: Iterable[str]) -> str:
        """Return the SELECT of the values that columns of an input have in more rows than before, or in fewer."""
        differing = self._differing(name)
        cells = ", ".join(map(identifier, columns))
        rows = (
            f"SELECT {cells}, {SIGN} FROM {differing}"
            if differing is not None
            else f"SELECT {cells}, 1 AS {SIGN} FROM ({self.now(name)}) "
            f"UNION ALL SELECT {cells}, -1 FROM ({self.before(name)})"
        )
        return f"SELECT {cells} FROM ({rows}) GROUP BY {cells} HAVING sum({SIGN}) <> 0"

    def rows_to_compare(self, name: str) -> int:
        """Return how many rows have to be read to find those that differ: none where they are known."""
        if self.came(name) is not None or self._rows.are_known(name, self._heads(name)):
            return 0
        table = self.tables.get(name)
        files = self._files_that_differ(name)
        if files is None:
            return 2 * content.row_count(table) if table is not None else 0
        return sum(each.rows for each in files)

    def are_none(self, con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> bool:
        """Return whether no row of these inputs is another one, as far as the model reads it."""
        listed = sorted(names)
        if any(self._grew(name) for name in listed):
            return False
        return all(self._is_same(con, name) for name in listed)

    def _heads(self, name: str) -> tuple[str, str]:
        return self._known.get(name, ""), commit.head(self.tables.get(name))

    def _snapshot_before(self, name: str) -> tuple[Table, int] | None:
        """Return an input's table with the id of the snapshot that it had; None for one that was not there."""
        head = self._known.get(name, "")
        if not head:
            return None
        table = self.tables.get(name)
        kept = (
            [] if table is None else [one for one in table.metadata.snapshots if commit.head_of(one) == head]
        )
        if table is None or not kept:
            raise CannotTellError(f"the snapshot of {name} has expired")
        if kept[-1].schema_id != table.metadata.current_schema_id:
            raise CannotTellError(f"{name} had other columns")
        return table, kept[-1].snapshot_id

    def _files_that_differ(self, name: str) -> tuple[Files, Files] | None:
        """Return the files that went and came; None where that cannot be told, or there was no table."""
        found = self._snapshot_before(name)
        return None if found is None else appended.differing_files(*found)

    def _differing(self, name: str) -> str | None:
        """Return the table of the rows that differ; None where both states have to be compared as a whole."""
        heads = self._heads(name)
        if self._rows.are_known(name, heads):
            return self._rows.find(name, heads, (), before="", now="")
        files = self._files_that_differ(name)
        if files is None:
            return None
        contract, table = self._contracts[name], self.tables[name]
        went, came = (
            views.scan_as_sql(table, contract, data_files.read_sql(table, each.paths))
            if each.paths
            else views.nothing_sql(contract)
            for each in files
        )
        columns = [column.name for column in contract.columns]
        return self._rows.find(name, heads, columns, before=went, now=came)

    def _changed_by_buckets(self, name: str, by: str) -> str:
        """Return the SELECT of the grains of rows that differ, both states read as a whole.

        Rows are first summed up into few buckets: nearly all of them are in buckets in which nothing changed.
        """
        hashed = self._hash_sql(name)
        rows = (
            f"SELECT {by} AS grain, hash({by}) % {_BUCKETS} AS bucket, 1 AS sign, {hashed} AS content "
            f"FROM ({self.now(name)}) UNION ALL "
            f"SELECT {by}, hash({by}) % {_BUCKETS}, -1, {hashed} FROM ({self.before(name)})"
        )
        differs = "HAVING sum(sign) <> 0 OR sum(sign * CAST(content AS HUGEINT)) <> 0"
        buckets = f"SELECT bucket FROM ({rows}) GROUP BY bucket {differs}"
        return f"SELECT grain FROM ({rows}) WHERE bucket IN ({buckets}) GROUP BY grain {differs}"

    def _grew(self, name: str) -> bool:
        return bool(
            (head := self._known.get(name, ""))
            and name in self.tables
            and appended.paths_since(self.tables[name], head)
        )

    def _is_same(self, con: duckdb.DuckDBPyConnection, name: str) -> bool:
        try:
            differing = self._differing(name)
            if differing is None:
                states = (self.before(name), self.now(name))
                sums = [
                    con.execute(f"SELECT count(*), sum({self._hash_sql(name)}) FROM ({rows})").fetchall()
                    for rows in states
                ]
                return sums[0] == sums[1]
        except CannotTellError:
            return False
        if con.execute(f"FROM {differing} LIMIT 1").fetchone() is None:
            return True
        rows = f"SELECT {self._hash_sql(name)} AS content, {SIGN} FROM {differing}"
        others = f"SELECT content FROM ({rows}) GROUP BY content HAVING sum({SIGN}) <> 0 LIMIT 1"
        return con.execute(others).fetchone() is None

    def _hash_sql(self, name: str) -> str:
        columns = [column.name for column in self._contracts[name].columns]
        read = self._reads().get(name)
        kept = columns if read is None else [column for column in columns if column in read]
        return f"hash({', '.join(map(identifier, kept))})" if kept else "0"
