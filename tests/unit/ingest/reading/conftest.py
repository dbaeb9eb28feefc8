"""Bytes in, rows out."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest

from lakehouse.ingest.reading.piece import PART_ROWS
from lakehouse.ingest.reading.pieces import pieces
from lakehouse.ingest.reading.typed_rows import create_unit, read_piece
from tests.support.lakes import duck_of


@pytest.fixture
def read(lake, tmp_path):
    """Return a function that reads bytes with a source; it gives the rows as dictionaries, by number in the file."""
    with duck_of(lake) as con:

        def read(source, content, *, chunk=1 << 20, max_bytes=None, key=None):
            create_unit(con, source)
            folder = tmp_path / uuid.uuid4().hex
            folder.mkdir()
            chunks = (content[start : start + chunk] for start in range(0, len(content), chunk))
            rows_before, row_offsets = Counter(), {}
            for number, piece in enumerate(pieces(chunks, source, folder, max_bytes=max_bytes)):
                read_piece(con, source, piece, number, key)
                row_offsets[number] = piece.part * PART_ROWS + rows_before[piece.part]
                highest = con.execute("SELECT max(_row) FROM unit WHERE _piece = ?", [number]).fetchone()
                rows_before[piece.part] += piece.row_count if piece.row_count is not None else highest[0] or 0
            rows = con.execute("SELECT * FROM unit").to_arrow_table().to_pylist()
            by_number = {row_offsets[row["_piece"]] + row["_row"]: row for row in rows}
            assert len(by_number) == len(rows), "two rows of one number"
            return by_number

        read.con = con  # for whoever asks the unit more
        yield read
