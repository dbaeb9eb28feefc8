"""The unit that pieces are read into: a table in DuckDB, filled by several threads at once.

`unit` holds the typed rows and what is wrong with them, `row_offsets` of which file each piece is and how many of its
rows stand before it. A full unit goes on to the writer under other names, and the next one is begun.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from threading import local
from typing import TYPE_CHECKING

from lakehouse.engine.escape import literal
from lakehouse.errors import BadFile
from lakehouse.ingest.loading.threads import submit
from lakehouse.ingest.policy import LoadingPolicy
from lakehouse.ingest.reading.piece import PART_ROWS
from lakehouse.ingest.reading.typed_rows import create_unit, read_piece

if TYPE_CHECKING:
    import duckdb

    from lakehouse.engine.keyed_hash import HashKey
    from lakehouse.ingest.reading.piece import Piece
    from lakehouse.sources.definition import Source

FULL_UNIT, FULL_ROW_OFFSETS = "full_unit", "full_row_offsets"


def unit_bytes(source: Source, memory_mb: int) -> int:
    """Return how many bytes of text make a unit full.

    Where rows of a source go to many partitions, each unit is as many data files, so memory decides how much goes into
    one. Where all rows go to the day of their arrival, short units are better: reading and writing overlap more.
    """
    partition_columns = {field.column for field in source.contract.partition}
    if partition_columns <= {"_loaded_at"}:
        return LoadingPolicy.unit_bytes
    return LoadingPolicy.unit_bytes * max(1, memory_mb // LoadingPolicy.memory_mb_per_unit)


@dataclass
class UnitPiece:
    """A piece whose rows are in the unit, or on their way there: `reading` is None once they are."""

    number: int
    file_id: str
    piece: Piece
    reading: Future[None] | None
    absent: frozenset[str] = frozenset()  # columns that its header lacks, once it is read


class Unit:
    """The rows that are read and not written yet, and the pieces that they come from, by number."""

    def __init__(self, con: duckdb.DuckDBPyConnection, source: Source, key: HashKey | None) -> None:
        """Create the table; `key` is needed where the source hashes."""
        self.pieces: dict[int, UnitPiece] = {}
        self._con, self._source, self._key = con, source, key
        self._thread = local()  # each thread that reads has a cursor of its own
        self._pieces_read = 0
        self._rows_by_file: dict[str, Counter[int]] = {}  # rows of each file, by part, before its next piece
        create_unit(con, source)

    @property
    def bytes(self) -> int:
        """Return how much text the unit's pieces are."""
        return sum(unit_piece.piece.bytes for unit_piece in self.pieces.values())

    def read(self, file_id: str, piece: Piece, readers: Executor | None) -> None:
        """Begin to read a piece into the unit."""
        self._pieces_read += 1
        number = self._pieces_read
        unit_piece = self.pieces[number] = UnitPiece(number, file_id, piece, None)
        unit_piece.reading = submit(readers, lambda: self._read_piece(unit_piece))

    def wait(self) -> dict[str, BadFile]:
        """Wait until all pieces are read; return the files of which one cannot be, and why."""
        bad_files: dict[str, BadFile] = {}
        for unit_piece in self.pieces.values():
            reading, unit_piece.reading = unit_piece.reading, None
            try:
                if reading is not None:
                    reading.result()
            except BadFile as error:
                bad_files.setdefault(unit_piece.file_id, error)
        return bad_files

    def remove_file(self, file_id: str) -> None:
        """Delete what the unit holds of a file; all pieces are read by now."""
        numbers = [piece.number for piece in self.pieces.values() if piece.file_id == file_id]
        for number in numbers:
            del self.pieces[number]
        if numbers:
            self._con.execute("DELETE FROM unit WHERE _piece IN (SELECT unnest(?))", [numbers])
        self._rows_by_file.pop(file_id, None)

    def set_apart(self, flushed: Sequence[UnitPiece]) -> None:
        """Leave only the rows of these pieces, the first ones, in the table; those behind wait for the next unit."""
        for unit_piece in flushed:
            del self.pieces[unit_piece.number]
        if self.pieces:
            last = flushed[-1].number
            self._con.execute(
                f"CREATE OR REPLACE TABLE next_unit AS SELECT * FROM unit WHERE _piece > {last}"
            )
            self._con.execute(f"DELETE FROM unit WHERE _piece > {last}")

    def set_row_offsets(self, flushed: Sequence[UnitPiece]) -> None:
        """Create `row_offsets`: of each piece in the table its file, and what is added to its rows' numbers.

        That is how many rows of its part stand before it, and where the part's own numbers begin.
        """
        highest = dict(self._con.execute("SELECT _piece, max(_row) FROM unit GROUP BY 1").fetchall())
        offsets = []
        for unit_piece in flushed:
            piece = unit_piece.piece
            rows_before = self._rows_by_file.setdefault(unit_piece.file_id, Counter())
            offsets.append(piece.part * PART_ROWS + rows_before[piece.part])
            taken = highest.get(unit_piece.number, 0) if piece.row_count is None else piece.row_count
            rows_before[piece.part] += taken
        file_ids = [unit_piece.file_id for unit_piece in flushed]
        file_enum = f"ENUM ({', '.join(map(literal, sorted(set(file_ids))))})"
        self._con.execute(  # a source's columns are in the unit beside these: theirs begin with no underscore
            f"CREATE OR REPLACE TABLE row_offsets AS SELECT _of_piece, CAST(_file AS {file_enum}) AS _file, "
            "_row_offset FROM (SELECT unnest(?) AS _of_piece, unnest(?) AS _file, unnest(?) AS _row_offset)",
            [[unit_piece.number for unit_piece in flushed], file_ids, offsets],
        )

    def hand_over(self) -> None:
        """Leave the table to the writer, as `full_unit` with `full_row_offsets`, and begin the next unit."""
        self._con.execute(f"ALTER TABLE unit RENAME TO {FULL_UNIT}")
        self._con.execute(f"ALTER TABLE row_offsets RENAME TO {FULL_ROW_OFFSETS}")
        if self.pieces:
            self._con.execute("ALTER TABLE next_unit RENAME TO unit")
        else:
            create_unit(self._con, self._source)

    def _read_piece(self, unit_piece: UnitPiece) -> None:
        piece, number = unit_piece.piece, unit_piece.number
        unit_piece.absent = read_piece(self._cursor(), self._source, piece, number, self._key)
        piece.delete()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._thread, "cursor", None)
        if cursor is None:
            cursor = self._thread.cursor = self._con.cursor()
            # Of times that are written without a zone.
            cursor.execute(f"SET TimeZone = {literal(self._source.time_zone)}")
        return cursor
