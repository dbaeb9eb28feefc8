"""Files of one shard: CSV, packed lines or workbooks, opened with their first rows and written chunk after chunk."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import xlsxwriter
from isal import isal_zlib

from lakehouse.sample.company.writers.export import CSV, LINES, PACKED, QUOTED, WORKBOOK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lakehouse.sample.company.truth import Tally
    from lakehouse.sample.company.writers.export import Export

_GZIP: Final = 31  # zlib's window bits for a gzip header, which then holds neither a name nor a time
_LEVEL: Final = 1  # of compression; another one changes the bytes
_QUOTING = {CSV: "needed", QUOTED: "all_valid"}
_MADE = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - a workbook knows no zones; the same, so that its bytes are


class TableWriter(Protocol):
    """A file that tables of equal columns are written to, one after the other."""

    def write_table(self, table: pa.Table) -> None:
        """Write the rows of a table below those before."""

    def close(self) -> None:
        """End the file."""


class PackedLines:
    """A gzip file of lines that end with a line feed each."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)

    def write_table(self, table: pa.Table) -> None:
        """Write the lines of a table's one column, straight from Arrow's buffer, where they are concatenated."""
        for lines in table.column(LINES).chunks:
            _, offsets, data = lines.buffers()
            if data is None:
                continue
            bounds = np.frombuffer(offsets, np.int32)[lines.offset : lines.offset + len(lines) + 1]
            self._file.write(self._packer.compress(memoryview(data)[bounds[0] : bounds[-1]]))

    def close(self) -> None:
        """End the file."""
        self._file.write(self._packer.flush())
        self._file.close()


class Workbook:
    """An Excel file of one sheet with a header; every cell is text, rows go to disk as they come.

    A shard has some ten thousand rows of an entity, a sheet room for a million.
    """

    def __init__(self, path: Path, columns: list[str]) -> None:
        self._book = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_numbers": False})
        self._book.set_properties({"created": _MADE})
        self._sheet = self._book.add_worksheet()
        self._next_row = 0
        self._write_row(columns)

    def write_table(self, table: pa.Table) -> None:
        """Write rows below those before."""
        columns = [column.to_pylist() for column in table.columns]
        for cells in zip(*columns, strict=True):
            self._write_row(cells)

    def _write_row(self, cells: Iterable[str | None]) -> None:
        for column_index, cell in enumerate(cells):
            if cell:
                self._sheet.write_string(self._next_row, column_index, cell)
        self._next_row += 1

    def close(self) -> None:
        """End the file."""
        self._book.close()


class ShardFiles:
    """The export files of one shard: `<folder>/<source>/<entity>/<entity>-<shard>` with the export's ending."""

    def __init__(self, folder: Path, shard: int, customers: int, tally: Tally) -> None:
        """Take where to write, the shard's number, the size of the company, and the tally to count in."""
        self._folder, self._shard, self._customers, self._tally = folder, shard, customers, tally
        self._writers: dict[str, TableWriter] = {}

    def add(self, chunk_export: Export) -> None:
        """Write an export's rows, as far as they belong to the company's customers, and count them."""
        export = chunk_export.within(self._customers)
        if export.entity not in self._writers:
            self._writers[export.entity] = self._open(export)
        self._writers[export.entity].write_table(export.rows)
        self._tally.rows[export.entity] += len(export.rows)
        for fault, rows in export.faults.items():
            self._tally.dirt[f"{export.entity}.{fault}"] += int(rows.sum())

    def _open(self, export: Export) -> TableWriter:
        folder = self._folder / export.entity
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{folder.name}-{self._shard:05d}"
        if export.form == PACKED:
            return PackedLines(folder / f"{name}.jsonl.gz")
        if export.form == WORKBOOK:
            return Workbook(folder / f"{name}.xlsx", export.rows.column_names)
        options = pacsv.WriteOptions(quoting_style=_QUOTING[export.form])
        writer: TableWriter = pacsv.CSVWriter(
            folder / f"{name}.csv", export.rows.schema, write_options=options
        )
        return writer

    def close(self) -> None:
        """End every file."""
        for writer in self._writers.values():
            writer.close()
