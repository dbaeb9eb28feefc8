"""Loads raw files of one source into data files, a unit at a time: as many rows as memory holds well.

The loader reads pieces into the `Unit`, by several threads at once. When it is full, its rows are counted and compared
(`FileResults`, `ReplayRows`, `Messages`) and the `UnitWriter` writes them while the next unit is read. Nobody sees the
data files before the commit. A file that turns out bad at its end leaves nothing: a file whose rows are written while
it is still being read has data files of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import telemetry
from lakehouse.errors import BadFile
from lakehouse.ingest.loading.dedupe import Messages
from lakehouse.ingest.loading.file_results import FileResults
from lakehouse.ingest.loading.load_times import LoadTimes
from lakehouse.ingest.loading.replay_rows import ReplayRows, partial_replays
from lakehouse.ingest.loading.threads import Workers, fetch_ahead, start_workers
from lakehouse.ingest.loading.unit import Unit, UnitPiece, unit_bytes
from lakehouse.ingest.loading.unit_writer import SHARED, UnitWriter
from lakehouse.ingest.reading.hash_key import hash_key
from lakehouse.ingest.reading.piece import Piece
from lakehouse.ingest.reading.pieces import pieces
from lakehouse.landing.fetch import chunks
from lakehouse.landing.raw_files import RawFile

if TYPE_CHECKING:
    import duckdb

    from lakehouse.ingest.quarantine.replay_plan import Replay
    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import DataFile, Table


@dataclass(frozen=True)
class FilePiece:
    """The next piece of a raw file."""

    file_id: str
    piece: Piece


@dataclass(frozen=True)
class FileEnd:
    """A raw file has been fetched to its end, or to where `error` says that it cannot be."""

    file_id: str
    error: Exception | None


class Loader:
    """One attempt to load files of one source: `run` loads them all, `results` and `files` say what came of it."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        table: Table,
        con: duckdb.DuckDBPyConnection,
        folder: Path,
        times: LoadTimes,
    ) -> None:
        """Take what all files share; `folder` is scratch, `times` when the rows of each file count as loaded."""
        self._source, self._con, self._folder = source, con, folder
        self._threads = settings.threads
        self._ops_bucket = settings.ops_bucket
        self._unit_bytes = unit_bytes(source, settings.function_memory_mb)
        self._unit = Unit(con, source, hash_key(settings, source))
        self._writer = UnitWriter(con, table, source, times.of_files)
        self._replay_rows = ReplayRows(con)
        self.results = FileResults(con)
        self.messages = Messages(con, table, source.dedupe, times.now) if source.dedupe else None

    @property
    def files(self) -> list[DataFile]:
        """Return the data files written so far."""
        return self._writer.files

    def run(self, files: Sequence[RawFile], attempt: str, replays: Mapping[str, Replay]) -> None:
        """Read all files and write their rows under the folder name `attempt`.

        `results` names the files that cannot be read or fetched. After an error `files` names all that was written.
        """
        self._replay_rows.request(partial_replays([file.file_id for file in files], replays))
        try:
            with start_workers(self._threads) as workers:
                self._read_all(files, attempt, workers)
                self._drop_unreadable()
                self._con.execute(f"SET threads = {self._threads}")  # nothing else runs any more
                self._flush(list(self._unit.pieces.values()), SHARED, attempt, workers)
                self._writer.wait()
        except BaseException:
            with suppress(Exception):
                self._writer.wait()
            raise
        for file_id in self._replay_rows.file_ids - self.results.failed:
            self.results.add_unread_rows(file_id, self._replay_rows.unread_sql(file_id))
            self.results.keep_rows(file_id, replays[file_id].kept_rows(self._ops_bucket))

    def set_aside(self, file_id: str, error: BadFile) -> None:
        """Give up the only file there is: nothing of it is loaded."""
        self.results.mark_bad(file_id, error)
        self._writer.discard_all()
        self._drop(file_id)

    def _read_all(self, files: Iterable[RawFile], attempt: str, workers: Workers) -> None:
        """Read all pieces, and flush the unit each time that it is full."""
        for item in fetch_ahead(file_pieces(files, self._source, self._folder), workers.fetcher):
            if isinstance(item, FileEnd):
                self._end(item)
            elif item.file_id not in self.results.bad_files:
                self._unit.read(item.file_id, item.piece, workers.readers)
                if self._unit.bytes >= self._unit_bytes:
                    self._flush_full(item.file_id, attempt, workers)

    def _end(self, end: FileEnd) -> None:
        """Drop a file that cannot be read or fetched to its end."""
        if end.error is None:
            return
        if isinstance(end.error, BadFile):
            self.results.mark_bad(end.file_id, end.error)
        else:  # the store's answer about one object: the others need not wait
            telemetry.failed("file not fetched", end.error, file_id=end.file_id)
            self.results.failed.add(end.file_id)
        self._drop_unreadable()
        self._drop(end.file_id)

    def _drop_unreadable(self) -> None:
        """Wait until all pieces are in the unit, and drop the files of which one cannot be read."""
        for file_id, error in self._unit.wait().items():
            self.results.mark_bad(file_id, error)
            self._drop(file_id)

    def _drop(self, file_id: str) -> None:
        """Take back all that came of a file; no piece is being read."""
        self._writer.wait()
        self._unit.remove_file(file_id)
        self._replay_rows.forget_read(file_id)
        if self.messages is not None:
            self.messages.forget(file_id)
        self._writer.discard(file_id)
        self.results.forget_rows(file_id)

    def _flush_full(self, current: str, attempt: str, workers: Workers) -> None:
        """Flush the files that are read to their ends; where there are none, what there is of the current one."""
        self._drop_unreadable()
        unit_pieces = list(self._unit.pieces.values())
        ended = [unit_piece for unit_piece in unit_pieces if unit_piece.file_id != current]
        if ended:
            self._flush(ended, SHARED, attempt, workers)
        else:
            self._flush(unit_pieces, current, attempt, workers)

    def _flush(self, flushed: Sequence[UnitPiece], owner: str, attempt: str, workers: Workers) -> None:
        """Send the rows of these pieces, the first ones of the unit, on their way into data files.

        All pieces are read. While the rows are written, the next unit is read.
        """
        if not flushed:
            return
        self._unit.set_apart(flushed)
        self._unit.set_row_offsets(flushed)
        for unit_piece in flushed:
            self.results.note_absent(unit_piece.file_id, unit_piece.absent)
        self._count({unit_piece.number: unit_piece.file_id for unit_piece in flushed})
        self._writer.wait()
        self._unit.hand_over()
        self._writer.start(f"{attempt}/{flushed[-1].number}", owner, workers.writer)

    def _count(self, file_of_piece: Mapping[int, str]) -> None:
        """Leave only the rows to load in the unit, and count what becomes of all of them."""
        self._replay_rows.filter_unit()
        self.results.count_unit(file_of_piece)
        if self.messages is not None:
            duplicates = self.messages.drop_repeated(file_of_piece)
            self.results.count_duplicates(file_of_piece, duplicates)


def file_pieces(files: Iterable[RawFile], source: Source, folder: Path) -> Iterator[FilePiece | FileEnd]:
    """Fetch the files one after the other, and yield the pieces of each, then its end."""
    for file in files:
        file_folder = folder / file.file_id
        file_folder.mkdir()
        failure: Exception | None = None
        try:
            for piece in pieces(chunks(file), source, file_folder):
                yield FilePiece(file.file_id, piece)
        except (BadFile, ClientError, BotoCoreError) as error:
            failure = error
        yield FileEnd(file.file_id, failure)
