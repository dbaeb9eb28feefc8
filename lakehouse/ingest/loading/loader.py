"""Raw files on their way into data files, a unit at a time: as many rows as memory holds well.

A unit is a table in DuckDB that pieces are read into, by several threads at once. When it is full, the rows in it are
compared, sorted and written. What was bad waits in a table beside it until all files have been read; nobody sees the
data files before the commit. A file that turns out bad at its end leaves nothing: a file whose rows are written while
it is still being read has data files of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import telemetry
from lakehouse.engine.escape import identifier, literal
from lakehouse.errors import BadFile
from lakehouse.ingest.loading.dedupe import Messages
from lakehouse.ingest.loading.threads import ahead, at_once, threads
from lakehouse.ingest.quarantine.bad_rows import BadRow
from lakehouse.ingest.reading.hash_key import hash_key
from lakehouse.ingest.reading.piece import Piece
from lakehouse.ingest.reading.pieces import pieces
from lakehouse.ingest.reading.policy import PiecePolicy
from lakehouse.ingest.reading.typed_rows import LOAD_COLUMNS, create_unit, read_piece
from lakehouse.landing.fetch import chunks
from lakehouse.landing.raw_files import RawFile
from lakehouse.tables import data_files

if TYPE_CHECKING:
    import duckdb

    from lakehouse.ingest.quarantine.replay_plan import Replay
    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import DataFile, Table

UNIT = 2 * PiecePolicy.max_bytes  # bytes of text; as rows in memory they take one to three times as much


@dataclass
class Counts:
    """What became of the rows of one file. `places`: how many places in it its pieces took so far."""

    received: int = 0
    duplicates: int = 0
    quarantined: int = 0
    places: int = 0

    @property
    def loaded(self) -> int:
        """Return the rows that go into the table."""
        return self.received - self.duplicates - self.quarantined


@dataclass
class _Pending:
    """A piece that is in the unit, or on its way there."""

    file_id: str
    piece: Piece
    done: Future[None] | None
    base: int = 0


@dataclass
class _Ended:
    """A file has been read to its end, or to where it cannot be read on."""

    file_id: str
    error: Exception | None


_Item = tuple[str, Piece] | _Ended


class Loading:
    """One attempt to load files of one source; `run` reads and writes them all, `close` forgets them."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        table: Table,
        con: duckdb.DuckDBPyConnection,
        folder: Path,
        now: datetime,
    ) -> None:
        """Take what all files share; `folder` is scratch, `now` when the rows count as loaded."""
        self.settings, self.source, self.table = settings, source, table
        self.con, self.folder, self.now = con, folder, now
        self.key = hash_key(settings, source)
        self.counts: dict[str, Counts] = {}
        self.bad_files: dict[str, BadRow] = {}
        self.failed: set[str] = set()
        self.messages = Messages(con, table, source.dedupe, now) if source.dedupe else None
        self._written: dict[str, list[DataFile]] = {}  # by file where a file has its own, else under ""
        self._pending: dict[int, _Pending] = {}
        self._leaving: tuple[str, Future[list[DataFile]]] | None = None
        self._number = 0
        # Rows of many days are as many files a unit, so more go into one; else short units overlap better.
        many = any(part.column != "_loaded_at" for part in source.contract.partition)
        self._unit = UNIT * (max(1, settings.function_memory_mb // 1024) if many else 1)
        self._cursors = local()
        create_unit(con, source)
        con.execute(
            "CREATE TABLE bad (file VARCHAR, row BIGINT, code VARCHAR, reason VARCHAR, original VARCHAR); "
            "CREATE TABLE wanted (file VARCHAR, row BIGINT); CREATE TABLE met (file VARCHAR, row BIGINT)"
        )

    @property
    def files(self) -> list[DataFile]:
        """Return the data files written so far."""
        return [file for files in self._written.values() for file in files]

    def run(self, files: Iterable[RawFile], attempt: str, replays: Mapping[str, Replay]) -> None:
        """Read all files and write their rows under the folder name `attempt`.

        A file that cannot be read is in `bad_files` afterwards, one that could not be fetched in `failed`.
        """
        self._attempt = attempt
        files = list(files)
        ours = {file.file_id: replays[file.file_id] for file in files if file.file_id in replays}
        self._partial = {name: one.rows for name, one in ours.items() if one.rows is not None}
        for name, rows in self._partial.items():
            self.con.execute("INSERT INTO wanted SELECT ?, unnest(?)", [name, sorted(rows)])
        workers = self.settings.threads if self.settings.threads > 1 else 0
        try:
            with (
                threads(min(1, workers)) as self._writer,
                threads(workers) as parsers,
                threads(min(1, workers)) as fetcher,
            ):
                self._read_all(files, parsers, fetcher)
                self._settle()
                self.con.execute(f"SET threads = {self.settings.threads}")  # nothing else runs any more
                self._flush(list(self._pending), "")
                self._land()
        except BaseException:
            with suppress(Exception):  # so that `files` names all that was written
                self._land()
            raise
        self._still_bad()

    def set_aside(self, file_id: str, bad: BadFile) -> None:
        """Give up the only file there is: nothing of it is loaded."""
        self._written = {file_id: self.files}
        self._drop(file_id, bad)

    def _read_all(
        self, files: Iterable[RawFile], parsers: ThreadPoolExecutor | None, fetcher: ThreadPoolExecutor | None
    ) -> None:
        for item in ahead(self._pieces(files), fetcher):
            if isinstance(item, _Ended):
                self._end(item)
                continue
            file_id, piece = item
            if file_id not in self.bad_files:
                self._add(file_id, piece, parsers)

    def _still_bad(self) -> None:
        """Note the rows that a replay wanted and did not meet: the file is unreadable now, or reads otherwise."""
        for name in self._partial.keys() - self.failed:
            bad = self.bad_files.pop(name, BadRow(None, "row_gone", "the file, read again, has no such row"))
            self.con.execute(
                "INSERT INTO bad SELECT file, row, $2, $3, NULL FROM wanted ANTI JOIN met USING (file, row) "
                "WHERE file = $1",
                [name, bad.code, bad.reason],
            )
            told = self.con.execute("SELECT count(*) FROM bad WHERE file = ?", [name]).fetchone()
            count = self.counts[name]
            count.received += (told[0] if told else 0) - count.quarantined
            count.quarantined = told[0] if told else 0

    def bad_rows(self, file_id: str) -> Iterator[BadRow]:
        """Yield what is wrong with a file: its rows, in order, or itself."""
        if file_id in self.bad_files:
            yield self.bad_files[file_id]
            return
        found = self.con.cursor().execute(
            "SELECT row, code, reason, original FROM bad WHERE file = ? ORDER BY row", [file_id]
        )
        while rows := found.fetchmany(1_000):
            yield from (BadRow(*row) for row in rows)

    def _pieces(self, files: Iterable[RawFile]) -> Iterator[_Item]:
        for file in files:
            error: Exception | None = None
            folder = self.folder / file.file_id
            folder.mkdir()
            try:
                for piece in pieces(chunks(file), self.source, folder):
                    yield file.file_id, piece
            except (BadFile, ClientError, BotoCoreError) as problem:
                error = problem
            yield _Ended(file.file_id, error)

    def _add(self, file_id: str, piece: Piece, parsers: ThreadPoolExecutor | None) -> None:
        self._number += 1
        number = self._number
        self.counts.setdefault(file_id, Counts())
        done = (
            parsers.submit(self._read, piece, number)
            if parsers
            else at_once(lambda: self._read(piece, number))
        )
        self._pending[number] = _Pending(file_id, piece, done)
        if sum(one.piece.bytes for one in self._pending.values()) < self._unit:
            return
        self._settle()
        whole = [number for number, one in self._pending.items() if one.file_id != file_id]
        if whole:
            self._flush(whole, "")
        elif self._pending:
            self._flush(list(self._pending), file_id)

    def _read(self, piece: Piece, number: int) -> None:
        cursor = getattr(self._cursors, "cursor", None)
        if cursor is None:
            cursor = self._cursors.cursor = self.con.cursor()
            cursor.execute(f"SET TimeZone = {literal(self.source.time_zone)}")  # of times written without one
        read_piece(cursor, self.source, piece, number, self.key)
        piece.delete()

    def _end(self, ended: _Ended) -> None:
        self.counts.setdefault(ended.file_id, Counts())
        if isinstance(ended.error, BadFile):
            self._drop(ended.file_id, ended.error)
        elif ended.error is not None:  # the store's answer about one object: the others need not wait
            telemetry.failed("file not fetched", ended.error, file_id=ended.file_id)
            self._drop(ended.file_id)
            self.failed.add(ended.file_id)

    def _drop(self, file_id: str, error: BadFile | None = None) -> None:
        """Take back all that came of a file."""
        if error is not None:
            self.bad_files.setdefault(file_id, BadRow(None, error.code, error.reason))
        self._settle()
        self._land()
        numbers = [number for number, one in self._pending.items() if one.file_id == file_id]
        for number in numbers:
            del self._pending[number]
        if numbers:
            self.con.execute("DELETE FROM unit WHERE _piece IN (SELECT unnest(?))", [numbers])
        for table in ("bad", "met"):
            self.con.execute(f"DELETE FROM {table} WHERE file = ?", [file_id])
        if self.messages is not None:
            self.messages.forget(file_id)
        data_files.discard(self.table, data_files.Written(self._written.pop(file_id, [])))
        self.counts[file_id] = Counts()

    def _settle(self) -> None:
        """Wait until all pending pieces are in the unit, and drop the files of which one cannot be read."""
        wrong: dict[str, BadFile] = {}
        for one in list(self._pending.values()):
            done, one.done = one.done, None
            try:
                if done is not None:
                    done.result()
            except BadFile as problem:
                wrong.setdefault(one.file_id, problem)
        for file_id, error in wrong.items():
            self._drop(file_id, error)

    def _flush(self, numbers: list[int], owner: str) -> None:
        """Send the rows of these pieces, all of those in the unit or the first ones, on their way into data files.

        While they are written, the next unit is read.
        """
        self._settle()
        numbers = [number for number in numbers if number in self._pending]
        if not numbers:
            return
        con, last = self.con, max(numbers)
        if behind := any(number > last for number in self._pending):
            con.execute(f"CREATE OR REPLACE TABLE rest AS SELECT * FROM unit WHERE _piece > {last}")
            con.execute(f"DELETE FROM unit WHERE _piece > {last}")
        self._count(numbers)
        for number in numbers:
            del self._pending[number]
        self._land()
        for name in ("unit", "places"):
            con.execute(f"ALTER TABLE {name} RENAME TO leaving_{name}")
        if behind:
            con.execute("ALTER TABLE rest RENAME TO unit")
        else:
            create_unit(con, self.source)
        folder = f"{self._attempt}/{last}"
        work = (
            self._writer.submit(self._write, folder) if self._writer else at_once(lambda: self._write(folder))
        )
        self._leaving = (owner, work)

    def _write(self, folder: str) -> list[DataFile]:
        """Write the rows that are leaving. Most units hold one partition, and those are written faster."""
        con, table, query, enums = self.con.cursor(), self.table, self._rows(), {"_file_id"}
        partition = data_files.only_partition(con, table, query)
        if partition is None:
            return data_files.write(con, table, query, folder, enums=enums).files
        path = f"{table.location()}/data/{folder}/part.parquet"
        return [data_files.write_partition(con, table, query, path, partition, enums=enums)]

    def _land(self) -> None:
        """Wait until the unit that is being written is in data files."""
        if self._leaving is not None:
            owner, work = self._leaving
            self._leaving = None
            self._written.setdefault(owner, []).extend(work.result())
            self.con.execute("DROP TABLE leaving_unit; DROP TABLE leaving_places")

    def _count(self, numbers: list[int]) -> None:
        """Give the rows of these pieces their places in their files, and count what becomes of them."""
        con = self.con
        highest = dict(con.execute("SELECT _piece, max(_row) FROM unit GROUP BY 1").fetchall())
        for number in numbers:
            one = self._pending[number]
            count = self.counts[one.file_id]
            one.base = count.places
            count.places += one.piece.row_count if one.piece.row_count is not None else highest.get(number, 0)
        of = {number: self._pending[number] for number in numbers}
        names = ", ".join(sorted({literal(one.file_id) for one in of.values()}))
        con.execute(  # a source's columns are in the unit beside these: theirs begin with no underscore
            "CREATE OR REPLACE TABLE places AS SELECT _of, CAST(_file AS "
            f"ENUM ({names})) AS _file, _base FROM (SELECT unnest(?) AS _of, unnest(?) AS _file, unnest(?) AS _base)",
            [list(of), [one.file_id for one in of.values()], [one.base for one in of.values()]],
        )
        self._leave_only_wanted()
        for number, rows in con.execute("SELECT _piece, count(*) FROM unit GROUP BY 1").fetchall():
            self.counts[of[number].file_id].received += rows
        wrong = con.execute("SELECT _piece, count(*) FROM unit WHERE _code IS NOT NULL GROUP BY 1").fetchall()
        if wrong:
            con.execute(
                "INSERT INTO bad SELECT _file, _row + _base, _code, _reason, _original FROM unit "
                "JOIN places ON _of = _piece WHERE _code IS NOT NULL"
            )
        for number, rows in wrong:
            self.counts[of[number].file_id].quarantined += rows
        if self.messages is not None:
            repeated = self.messages.drop_repeated({number: one.file_id for number, one in of.items()})
            for number, rows in repeated.items():
                self.counts[of[number].file_id].duplicates += rows

    def _leave_only_wanted(self) -> None:
        """Of files that are replayed, keep in the unit the rows that their generation is made of."""
        if not self._partial:
            return
        self.con.execute(
            "DELETE FROM unit WHERE rowid IN (SELECT u.rowid FROM unit AS u JOIN places ON _of = _piece "
            "JOIN (SELECT DISTINCT file AS _replayed FROM wanted) ON _replayed = _file "
            "ANTI JOIN wanted AS w ON w.file = _file AND w.row = _row + _base)"
        )
        self.con.execute(
            "INSERT INTO met SELECT file, row FROM wanted SEMI JOIN "
            "(SELECT _file AS file, _row + _base AS row FROM unit JOIN places ON _of = _piece) USING (file, row)"
        )

    def _rows(self) -> str:
        """Return the query of the table's rows that the unit holds."""
        columns = [column.name for column in self.source.contract.columns if column.name not in LOAD_COLUMNS]
        return (
            "SELECT _file AS _file_id, _row + _base AS _row, "
            f"TIMESTAMPTZ {literal(self.now.isoformat())} AS _loaded_at, {', '.join(map(identifier, columns))} "
            "FROM leaving_unit JOIN leaving_places ON _of = _piece WHERE _code IS NULL"
        )
