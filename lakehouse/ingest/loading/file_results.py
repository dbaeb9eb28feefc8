"""What became of the raw files of a load: rows by outcome, files that are bad or could not be fetched, bad rows.

Bad rows wait in the table `bad_rows` in DuckDB until all files have been read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.ingest.policy import QuarantinePolicy
from lakehouse.ingest.quarantine.bad_rows import BadRow
from lakehouse.ingest.reading.piece import NO_RECORDS, PART_ROWS

if TYPE_CHECKING:
    import duckdb

    from lakehouse.errors import BadFile


@dataclass
class RowCounts:
    """What became of the rows of one file; a bad file counts as one row that is in quarantine.

    Of the rows in quarantine, `parts` are members of a zip or sheets that were not read, and `no_records` lines that
    are no records. `absent` are the columns that a header of the file lacks.
    """

    received: int = 0
    duplicates: int = 0
    quarantined: int = 0
    parts: int = 0
    no_records: int = 0
    absent: frozenset[str] = frozenset()

    @property
    def loaded(self) -> int:
        """Return the rows that go into the table."""
        return self.received - self.duplicates - self.quarantined


class FileResults:
    """What became of each file, by file id. `bad_files` cannot be read; `failed` could not be fetched this time."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.bad_files: dict[str, BadRow] = {}
        self.failed: set[str] = set()
        self._con = con
        self._counts: defaultdict[str, RowCounts] = defaultdict(RowCounts)
        con.execute(
            "CREATE TABLE bad_rows (file VARCHAR, row BIGINT, code VARCHAR, reason VARCHAR, original VARCHAR)"
        )

    def counts(self, file_id: str) -> RowCounts:
        """Return what became of a file's rows."""
        if file_id in self.bad_files:
            return RowCounts(received=1, quarantined=1)
        return self._counts[file_id]

    def mark_bad(self, file_id: str, error: BadFile) -> None:
        """Note that a file cannot be read; of several reasons the first counts."""
        self.bad_files.setdefault(file_id, BadRow(None, error.code, error.reason, error.original))

    def note_absent(self, file_id: str, columns: frozenset[str]) -> None:
        """Note that a header of a file lacks columns."""
        if columns:
            counts = self._counts[file_id]
            counts.absent |= columns

    def forget_rows(self, file_id: str) -> None:
        """Take back what was counted and noted of a file's rows."""
        self._counts.pop(file_id, None)
        self._con.execute("DELETE FROM bad_rows WHERE file = ?", [file_id])

    def count_unit(self, file_of_piece: Mapping[int, str]) -> None:
        """Count the rows of `unit`, and note the bad ones under their row numbers in their files.

        `file_of_piece` names the file of each piece in it; `row_offsets` says how many rows stand before each.
        """
        rows = self._con.execute("SELECT _piece, count(*) FROM unit GROUP BY 1").fetchall()
        for piece, count in rows:
            self._counts[file_of_piece[piece]].received += count
        bad = self._con.execute(
            "SELECT _piece, count(*), count(*) FILTER (_row = 0), count(*) FILTER (list_contains($1, _code)) "
            "FROM unit WHERE _code IS NOT NULL GROUP BY 1",
            [list(NO_RECORDS)],
        ).fetchall()
        if not bad:
            return
        self._con.execute(
            "INSERT INTO bad_rows SELECT _file, _row + _row_offset, _code, _reason, _original FROM unit "
            "JOIN row_offsets ON _of_piece = _piece WHERE _code IS NOT NULL"
        )
        for piece, count, parts, no_records in bad:
            counts = self._counts[file_of_piece[piece]]
            counts.quarantined += count
            counts.parts += parts
            counts.no_records += no_records

    def count_duplicates(self, file_of_piece: Mapping[int, str], duplicates: Mapping[int, int]) -> None:
        """Count the rows, by piece, that are in the batch or in the table already."""
        for piece, count in duplicates.items():
            self._counts[file_of_piece[piece]].duplicates += count

    def add_unread_rows(self, file_id: str, unread_sql: str) -> None:
        """Note rows of a file that a replay asks for and that were not read; the file is no longer bad as a whole.

        `unread_sql` is the query of their numbers. They are bad as the file is; where it is not, it has no such rows.
        """
        default = BadRow(None, "row_gone", "the file, read again, has no such row")
        bad = self.bad_files.pop(file_id, default)
        self._con.execute(
            f"INSERT INTO bad_rows SELECT $1, row, $2, $3, NULL FROM ({unread_sql})",
            [file_id, bad.code, bad.reason],
        )
        in_quarantine = self._count("file = ?", file_id)
        counts = self._counts[file_id]
        counts.received += in_quarantine - counts.quarantined
        counts.quarantined = in_quarantine
        counts.parts = self._count(f"file = ? AND row % {PART_ROWS} = 0", file_id)

    def keep_rows(self, file_id: str, rows: Iterable[BadRow]) -> None:
        """Note rows of a file that stay in quarantine untried: they are received and set aside as they were."""
        counts = self._counts[file_id]
        for row in rows:
            self._con.execute(
                "INSERT INTO bad_rows VALUES (?, ?, ?, ?, ?)",
                [file_id, row.row, row.code, row.reason, row.original],
            )
            counts.received += 1
            counts.quarantined += 1
            counts.parts += row.row is not None and row.row % PART_ROWS == 0
            counts.no_records += row.code in NO_RECORDS

    def bad_rows(self, file_id: str) -> Iterator[BadRow]:
        """Yield what is wrong with a file: its rows, in order, or itself."""
        if file_id in self.bad_files:
            yield self.bad_files[file_id]
            return
        rows = self._con.cursor().execute(
            "SELECT row, code, reason, original FROM bad_rows WHERE file = ? ORDER BY row", [file_id]
        )
        while batch := rows.fetchmany(QuarantinePolicy.rows_per_read):
            yield from (BadRow(*row) for row in batch)

    def _count(self, condition: str, file_id: str) -> int:
        [(count,)] = self._con.execute(
            f"SELECT count(*) FROM bad_rows WHERE {condition}", [file_id]
        ).fetchall()
        return int(count)
