"""Bytes in, rows out."""

from __future__ import annotations

import uuid

import pytest

from lakehouse.ingest.reading.pieces import PIECE, pieces
from lakehouse.ingest.reading.typed_rows import create_unit, read_piece
from tests.support.lakes import duck_of


@pytest.fixture
def read(lake, tmp_path):
    """Return a function that reads bytes with a source; it gives the rows as dictionaries, by place in the file."""
    with duck_of(lake) as con:

        def read(source, content, *, chunk=1 << 20, size=PIECE, key=None):
            create_unit(con, source)
            folder = tmp_path / uuid.uuid4().hex
            folder.mkdir()
            chunks = (content[at : at + chunk] for at in range(0, len(content), chunk))
            before, bases = 0, {}
            for number, piece in enumerate(pieces(chunks, source, folder, size=size)):
                read_piece(con, source, piece, number, key)
                bases[number] = before
                highest = con.execute("SELECT max(_row) FROM unit WHERE _piece = ?", [number]).fetchone()
                before += piece.lines if piece.lines is not None else highest[0] or 0
            rows = con.execute("SELECT * FROM unit").to_arrow_table().to_pylist()
            found = {bases[row["_piece"]] + row["_row"]: row for row in rows}
            assert len(found) == len(rows), "two rows at one place"
            return found

        yield read
