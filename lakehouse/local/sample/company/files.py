"""Files of one shard: CSV, or packed lines, opened when their first rows come and written chunk after chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from isal import isal_zlib

from lakehouse.local.sample.company.writers.web import LINES

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.local.sample.company.truth import Tally
    from lakehouse.local.sample.company.writers.export import Export

_GZIP = 31  # window bits: a gzip header, which holds neither a name nor a time
_LEVEL = 1


class PackedLines:
    """A gzip file of lines that end with a line feed each."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)

    def write_table(self, table: pa.Table) -> None:
        """Write the lines of a table's one column: one behind the other, as they stand in Arrow's buffer."""
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


class ShardFiles:
    """The export files of one shard; `<folder>/<source>/<entity>/<entity>-<shard>.csv` or `.jsonl.gz`."""

    def __init__(self, folder: Path, shard: int, customers: int, tally: Tally) -> None:
        self._folder, self._shard, self._customers, self._tally = folder, shard, customers, tally
        self._open: dict[str, Any] = {}

    def add(self, whole: Export) -> None:
        """Write an export's rows, as far as they belong to the company's customers, and count them."""
        export = whole.within(self._customers)
        if export.place not in self._open:
            self._open[export.place] = self._new(export)
        self._open[export.place].write_table(export.rows)
        self._tally.rows[export.place] += len(export.rows)
        for fault, rows in export.faults.items():
            self._tally.dirt[f"{export.place}.{fault}"] += int(rows.sum())

    def _new(self, export: Export) -> Any:
        folder = self._folder / export.place
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{folder.name}-{self._shard:05d}"
        if export.rows.column_names == [LINES]:
            return PackedLines(folder / f"{name}.jsonl.gz")
        return pacsv.CSVWriter(
            folder / f"{name}.csv",
            export.rows.schema,
            write_options=pacsv.WriteOptions(quoting_style="needed"),
        )

    def close(self) -> None:
        """End every file."""
        for writer in self._open.values():
            writer.close()
