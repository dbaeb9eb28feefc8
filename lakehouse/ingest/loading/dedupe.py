"""One row a message: what a batch repeats of itself, or of the arrivals of the last days, is counted, not loaded.

The cost follows the arrivals in the window: only data files whose `_loaded_at` reaches into it are read, and of them
one column; a batch of many units keeps eight bytes of each id instead of reading it for each unit. The commit that
follows is exclusive, so that a concurrent batch cannot slip the same message in; when one was first, only the files
that it added are compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier
from lakehouse.tables import data_files

if TYPE_CHECKING:
    import duckdb

    from lakehouse.sources.definition import Dedupe
    from lakehouse.tables.catalog import Table


class Messages:
    """The ids of the messages that a batch brings, compared with themselves and with those of the table."""

    def __init__(self, con: duckdb.DuckDBPyConnection, table: Table, rule: Dedupe, now: datetime) -> None:
        """Look at the table as it is; `now` says where the window begins."""
        self.con, self.table = con, table
        self.column = identifier(rule.column)
        self.cutoff = now - timedelta(days=rule.days)
        self.compared = set(self._paths(table))
        self._units, self._hashed = 0, False
        self._files: dict[str, int] = {}
        con.execute("CREATE TABLE seen (h UBIGINT, id VARCHAR, file INTEGER)")

    def drop_repeated(self, file_of: dict[int, str]) -> dict[int, int]:
        """Delete from `unit` the good rows that are there already; return how many by piece.

        Of equal ones the first stays, by piece and row. `file_of` gives the file of each piece in the unit.
        """
        con, column = self.con, self.column
        con.execute(
            "CREATE OR REPLACE TEMP TABLE repeated AS SELECT rowid AS r, _piece FROM unit WHERE _code IS NULL AND "
            f"{column} IN (SELECT {column} FROM unit WHERE _code IS NULL GROUP BY 1 HAVING count(*) > 1) "
            f"QUALIFY row_number() OVER (PARTITION BY {column} ORDER BY _piece, _row) > 1"
        )
        # What is few, the unit, is looked up in; of the many seen only the hashes are read where none is met.
        ours = "FROM unit WHERE _code IS NULL"
        self._also_repeated(f"SELECT id FROM seen WHERE h IN (SELECT hash({column}) {ours})")
        if self._may_have_arrived():
            self._also_repeated(f"{self._ids(self.compared)} AND {column} IN (SELECT {column} {ours})")
        counts = con.execute("SELECT _piece, count(DISTINCT r) FROM repeated GROUP BY 1").fetchall()
        if counts:
            con.execute("DELETE FROM unit WHERE rowid IN (SELECT r FROM repeated)")
        numbers = [self._files.setdefault(file_id, len(self._files)) for file_id in file_of.values()]
        con.execute("CREATE OR REPLACE TEMP TABLE file_of AS SELECT unnest(?) AS _of, unnest(?) AS _file",
                    [list(file_of), numbers])  # fmt: skip
        con.execute(
            f"INSERT INTO seen SELECT hash({column}), {column}, _file FROM unit JOIN file_of ON _of = _piece "
            "WHERE _code IS NULL"
        )
        return dict(counts)

    def forget(self, file_id: str) -> None:
        """Take back what a file brought: none of it will be loaded."""
        self.con.execute("DELETE FROM seen WHERE file = ?", [self._files.get(file_id)])

    def still_new(self, table: Table) -> bool:
        """Return whether the table, as it is now, has none of the batch's messages either."""
        self.table = table
        fresh = set(self._paths(table)) - self.compared
        if fresh:
            found = f"SELECT count(*) FROM seen WHERE id IN ({self._ids(fresh)})"
            if self.con.execute(found).fetchone() != (0,):
                return False
        self.compared |= fresh
        return True

    def _may_have_arrived(self) -> bool:
        """Return whether the table may have a message of this unit: from the second unit on its hashes say so."""
        self._units += 1
        if not self.compared or self._units == 1:
            return bool(self.compared)
        if not self._hashed:
            # Once: IF NOT EXISTS, too, opens a file of the table, to learn its columns.
            hashes = f"SELECT hash({self.column}) AS h FROM ({self._ids(self.compared)})"
            self.con.execute(f"CREATE TABLE arrived AS {hashes}")
            self._hashed = True
        some = f"SELECT 1 FROM unit WHERE _code IS NULL AND hash({self.column}) IN (SELECT h FROM arrived) LIMIT 1"
        return self.con.execute(some).fetchone() is not None

    def _also_repeated(self, ids: str) -> None:
        self.con.execute(
            f"INSERT INTO repeated SELECT rowid, _piece FROM unit WHERE _code IS NULL AND {self.column} IN ({ids})"
        )

    def _paths(self, table: Table) -> list[str]:
        if table.current_snapshot() is None:
            return []
        return data_files.paths_since(table, "_loaded_at", self.cutoff)

    def _ids(self, paths: Iterable[str]) -> str:
        read = data_files.read_sql(self.table, sorted(paths))
        return (
            f"SELECT {self.column} FROM ({read}) WHERE _loaded_at >= TIMESTAMPTZ '{self.cutoff.isoformat()}'"
        )
