"""Writes full units to data files, each in the background while the next one is read."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier, literal
from lakehouse.ingest.loading.threads import submit
from lakehouse.ingest.loading.unit import FULL_ROW_OFFSETS, FULL_UNIT
from lakehouse.ingest.reading.typed_rows import LOAD_COLUMNS
from lakehouse.tables import data_files

if TYPE_CHECKING:
    import duckdb

    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import DataFile, Table

SHARED = ""  # owner of data files that hold rows of several raw files, all of which were read to their ends


class UnitWriter:
    """Writes `full_unit`, and keeps the data files by owner: the one raw file whose rows they hold, or `SHARED`."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        source: Source,
        loaded_at: Mapping[str, datetime],
    ) -> None:
        """`loaded_at` says by file id when the rows of each file count as loaded."""
        self._con, self._table = con, table
        self._query = full_unit_sql(source, loaded_at)
        self._files: dict[str, list[DataFile]] = {}
        self._writing: tuple[str, Future[list[DataFile]]] | None = None

    @property
    def files(self) -> list[DataFile]:
        """Return the data files written so far."""
        return [file for files in self._files.values() for file in files]

    def start(self, folder: str, owner: str, pool: Executor | None) -> None:
        """Begin to write the full unit below a folder of the table; the one before must be written by now."""
        self._writing = owner, submit(pool, lambda: self._write(folder))

    def wait(self) -> None:
        """Wait until the unit that is being written is in data files, and drop its tables."""
        if self._writing is None:
            return
        owner, writing = self._writing
        self._writing = None
        self._files.setdefault(owner, []).extend(writing.result())
        self._con.execute(f"DROP TABLE {FULL_UNIT}; DROP TABLE {FULL_ROW_OFFSETS}")

    def discard(self, owner: str) -> None:
        """Delete the data files of an owner."""
        data_files.discard(self._table, data_files.Written(self._files.pop(owner, [])))

    def discard_all(self) -> None:
        """Delete all data files."""
        for owner in list(self._files):
            self.discard(owner)

    def _write(self, folder: str) -> list[DataFile]:
        """Write the full unit. Most units hold one partition, and those are written faster."""
        con, enums = self._con.cursor(), {"_file_id"}
        partition = data_files.only_partition(con, self._table, self._query)
        if partition is None:
            return data_files.write(con, self._table, self._query, folder, enums=enums).files
        path = f"{self._table.location()}/data/{folder}/part.parquet"
        return [data_files.write_partition(con, self._table, self._query, path, partition, enums=enums)]


def full_unit_sql(source: Source, loaded_at: Mapping[str, datetime]) -> str:
    """Return the query of the table's rows that the full unit holds: the good ones, with file, row and time.

    `loaded_at` has the time of each file in the unit.
    """
    columns = [column.name for column in source.contract.columns if column.name not in LOAD_COLUMNS]
    return (
        "SELECT _file AS _file_id, _row + _row_offset AS _row, "
        f"_time AS _loaded_at, {', '.join(map(identifier, columns))} "
        f"FROM {FULL_UNIT} JOIN ({_pieces_sql(loaded_at)}) ON _of_piece = _piece WHERE _code IS NULL"
    )


def _pieces_sql(loaded_at: Mapping[str, datetime]) -> str:
    """Return the query of the full unit's pieces, each with its file's time: a constant where all have one."""
    times = [f"TIMESTAMPTZ {literal(time.isoformat())}" for time in loaded_at.values()]
    if len(set(times)) == 1:
        return f"SELECT *, {times[0]} AS _time FROM {FULL_ROW_OFFSETS}"
    file_ids = ", ".join(map(literal, loaded_at))
    by_file = f"SELECT unnest([{file_ids}]) AS _of_file, unnest([{', '.join(times)}]) AS _time"
    return f"SELECT * FROM {FULL_ROW_OFFSETS} JOIN ({by_file}) ON _of_file = CAST(_file AS VARCHAR)"
