"""One row a message: what a batch repeats of itself, or of the arrivals of the last days, is counted, not loaded.

What shares an id and says something else is another message, where the rule names what is said.

The cost follows the arrivals in the window: only data files whose `_loaded_at` reaches into it are read, and of them
one column, with what is said where an id is met; a batch of many units keeps eight bytes of each id instead of reading
it for each unit. The commit that
follows is exclusive, so that a concurrent batch cannot slip the same message in; when one was first, only the files
that it added are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier
from lakehouse.tables import data_files

if TYPE_CHECKING:
    import duckdb

    from lakehouse.sources.definition import Dedupe
    from lakehouse.tables.catalog import Table


_NOTHING_SAID: Final = "0::UBIGINT"


class Messages:
    """The ids of the messages that a batch brings, compared with themselves and with those of the table.

    `batch_messages` holds those that the batch brought so far, with hashes of the id and of what is said, and number of
    the raw file; `arrived` the hashes of the ids in the table, from the second unit on.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, table: Table, rule: Dedupe, now: datetime) -> None:
        """Look at the table as it is; `now` says where the window begins."""
        self._con, self._table = con, table
        self._column = identifier(rule.column)
        self._said = _said_sql(rule.content, table)
        self._cutoff = now - timedelta(days=rule.days)
        self._compared = set(self._paths(table))
        self._units = 0
        self._file_numbers: dict[str, int] = {}
        con.execute("CREATE TABLE batch_messages (hash UBIGINT, id VARCHAR, said UBIGINT, file INTEGER)")

    def drop_repeated(self, file_of_piece: Mapping[int, str]) -> dict[int, int]:
        """Delete from `unit` the good rows that are there already; return how many by piece.

        Of equal ones the first stays, by piece and row. `file_of_piece` gives the file of each piece in the unit.
        """
        con, column = self._con, self._column
        con.execute(
            "CREATE OR REPLACE TEMP TABLE repeated AS SELECT rowid AS r, _piece FROM unit WHERE _code IS NULL AND "
            f"{column} IN (SELECT {column} FROM unit WHERE _code IS NULL GROUP BY 1 HAVING count(*) > 1) "
            f"QUALIFY row_number() OVER (PARTITION BY {column}, {self._said} ORDER BY _piece, _row) > 1"
        )
        # The unit's few ids are looked up; of the batch's many, only the hashes are read where none is met.
        good_rows = "FROM unit WHERE _code IS NULL"
        self._add_repeated(
            f"SELECT id, said FROM batch_messages WHERE hash IN (SELECT hash({column}) {good_rows})"
        )
        if self._may_have_arrived():
            self._add_repeated(self._met_sql(f"SELECT {column} {good_rows}"))
        counts = con.execute("SELECT _piece, count(DISTINCT r) FROM repeated GROUP BY 1").fetchall()
        if counts:
            con.execute("DELETE FROM unit WHERE rowid IN (SELECT r FROM repeated)")
        self._remember(file_of_piece)
        return dict(counts)

    def forget(self, file_id: str) -> None:
        """Take back what a file brought: none of it will be loaded."""
        self._con.execute("DELETE FROM batch_messages WHERE file = ?", [self._file_numbers.get(file_id)])

    def still_new(self, table: Table) -> bool:
        """Return whether the table, as it is now, has none of the batch's messages either."""
        self._table = table
        added = set(self._paths(table)) - self._compared
        if added:
            common = f"SELECT count(*) FROM batch_messages WHERE id IN ({self._ids_sql(added)})"
            if self._con.execute(common).fetchone() != (0,):
                return False
        self._compared |= added
        return True

    def _may_have_arrived(self) -> bool:
        """Return whether the table may have a message of this unit: from the second unit on its hashes say so."""
        self._units += 1
        if not self._compared:
            return False
        if self._units == 1:
            return True
        if self._units == 2:  # noqa: PLR2004 - once; IF NOT EXISTS, too, opens a file of the table to learn its columns
            hashes = f"SELECT hash({self._column}) AS hash FROM ({self._ids_sql(self._compared)})"
            self._con.execute(f"CREATE TABLE arrived AS {hashes}")
        unit_hashes = f"hash({self._column}) IN (SELECT hash FROM arrived)"
        met = f"SELECT 1 FROM unit WHERE _code IS NULL AND {unit_hashes} LIMIT 1"
        return self._con.execute(met).fetchone() is not None

    def _met_sql(self, unit_ids: str) -> str:
        """Return the query of the messages of the table that have these ids, each with what it says.

        What is said is read where an id is met, and nowhere else: it is most of a file.
        """
        met = f"{self._ids_sql(self._compared)} AND {self._column} IN ({unit_ids})"
        self._con.execute(
            f"CREATE OR REPLACE TEMP TABLE met AS SELECT DISTINCT {self._column} AS id FROM ({met})"
        )
        if self._said == _NOTHING_SAID or self._con.execute("FROM met LIMIT 1").fetchone() is None:
            return f"SELECT id, {_NOTHING_SAID} FROM met"
        return f"{self._ids_sql(self._compared, self._said)} AND {self._column} IN (SELECT id FROM met)"

    def _add_repeated(self, messages_sql: str) -> None:
        """Note the good rows of the unit that are among these messages: id, and hash of what is said."""
        self._con.execute(
            "INSERT INTO repeated SELECT rowid, _piece FROM unit "
            f"WHERE _code IS NULL AND ({self._column}, {self._said}) IN ({messages_sql})"
        )

    def _remember(self, file_of_piece: Mapping[int, str]) -> None:
        """Keep the messages that are left in the unit, each with the number of its file."""
        numbers = [
            self._file_numbers.setdefault(file_id, len(self._file_numbers))
            for file_id in file_of_piece.values()
        ]
        self._con.execute(
            "CREATE OR REPLACE TEMP TABLE piece_files AS SELECT unnest(?) AS _of_piece, unnest(?) AS _file",
            [list(file_of_piece), numbers],
        )
        self._con.execute(
            f"INSERT INTO batch_messages SELECT hash({self._column}), {self._column}, {self._said}, _file "
            "FROM unit JOIN piece_files ON _of_piece = _piece WHERE _code IS NULL"
        )

    def _paths(self, table: Table) -> list[str]:
        """Return the data files that may hold arrivals in the window."""
        if table.current_snapshot() is None:
            return []
        return data_files.paths_since(table, "_loaded_at", self._cutoff)

    def _ids_sql(self, paths: Iterable[str], *besides: str) -> str:
        """Return the query of the ids that arrived in the window, in these data files, and of expressions besides."""
        rows, cells = data_files.read_sql(self._table, sorted(paths)), ", ".join((self._column, *besides))
        return f"SELECT {cells} FROM ({rows}) WHERE _loaded_at >= TIMESTAMPTZ '{self._cutoff.isoformat()}'"


def _said_sql(content: Sequence[str], table: Table) -> str:
    """Return the hash of what a row says in these columns, as far as the table has them: some are not kept."""
    kept = {field.name for field in table.schema().fields}
    cells = [identifier(name) for name in content if name in kept]
    return f"hash({', '.join(cells)})" if cells else _NOTHING_SAID
