"""The unit: pieces are read into it, each row has its number in its file, and a full one goes to the writer."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.errors import BadFile
from lakehouse.ingest.loading import unit as module
from lakehouse.ingest.loading.threads import start_workers
from lakehouse.ingest.loading.unit import Unit, unit_bytes
from lakehouse.ingest.policy import LoadingPolicy
from tests.support.units import a_piece, a_source

SOURCE = a_source()
TWO_ROWS = '{"id": "a"}\n{"id": "b"}\n'


@pytest.fixture
def con():
    with duckdb.connect() as con:
        sql_functions.create(con)
        yield con


@pytest.fixture
def unit(con, tmp_path):
    """Pieces 1 and 2 of file `f`, piece 3 of `g`; the first of them has five lines, two of them rows."""
    unit = Unit(con, SOURCE, None)
    for number, (file_id, lines) in enumerate([("f", 5), ("f", None), ("g", None)], start=1):
        unit.read(file_id, a_piece(tmp_path / f"{number:06}.piece", TWO_ROWS, lines), None)
    assert unit.wait() == {}
    return unit


def rows(con, table="unit"):
    return con.execute(f"SELECT _piece, _row, id FROM {table} ORDER BY ALL").fetchall()


def test_pieces_are_numbered_in_their_order(unit, con, tmp_path):
    """Their rows are in the table, and their text is deleted."""
    assert rows(con) == [(piece, row, name) for piece in (1, 2, 3) for row, name in ((1, "a"), (2, "b"))]
    assert unit.bytes == 3 * len(TWO_ROWS)
    assert list(tmp_path.iterdir()) == []


def test_rows_before_a_piece(unit, con):
    """Those that its file's pieces took: as many as the reader of the file says, else up to the highest row."""
    unit.set_row_offsets(list(unit.pieces.values()))
    offsets = con.execute("SELECT * FROM row_offsets ORDER BY 1").fetchall()
    assert offsets == [(1, "f", 0), (2, "f", 5), (3, "g", 0)]


def test_offsets_go_on_in_the_next_unit(unit, con, tmp_path):
    """A file may be in many."""
    unit.set_row_offsets(list(unit.pieces.values()))
    unit.set_apart(list(unit.pieces.values()))
    unit.hand_over()
    unit.read("f", a_piece(tmp_path / "000004.piece", TWO_ROWS), None)
    unit.wait()
    unit.set_row_offsets(list(unit.pieces.values()))
    assert con.execute("SELECT * FROM row_offsets").fetchall() == [(4, "f", 7)]


def test_rows_behind_those_that_are_flushed_wait_for_the_next_unit(unit, con):
    """The writer gets the others, under other names."""
    flushed = [unit.pieces[1], unit.pieces[2]]
    unit.set_apart(flushed)
    unit.set_row_offsets(flushed)
    unit.hand_over()
    assert rows(con, "full_unit") == [(1, 1, "a"), (1, 2, "b"), (2, 1, "a"), (2, 2, "b")]
    assert con.execute("SELECT _of_piece FROM full_row_offsets ORDER BY 1").fetchall() == [(1,), (2,)]
    assert rows(con) == [(3, 1, "a"), (3, 2, "b")]
    assert list(unit.pieces) == [3]


def test_a_file_can_be_taken_back(unit, con, tmp_path):
    """Rows, pieces and how many rows it took."""
    unit.set_row_offsets(list(unit.pieces.values()))
    unit.remove_file("f")
    assert (rows(con), list(unit.pieces)) == ([(3, 1, "a"), (3, 2, "b")], [3])
    unit.read("f", a_piece(tmp_path / "000004.piece", TWO_ROWS), None)
    unit.wait()
    unit.set_row_offsets([unit.pieces[4]])
    assert con.execute("SELECT * FROM row_offsets").fetchall() == [(4, "f", 0)]
    unit.remove_file("unknown")


@pytest.mark.parametrize("threads", [1, 3])
def test_a_piece_that_cannot_be_read_names_its_file(con, tmp_path, monkeypatch, threads):
    """With the first reason; the other pieces are read all the same."""
    real = module.read_piece

    def read(cursor, source, piece, number, key):
        if number in {2, 3}:
            raise BadFile(f"code{number}", "why")
        real(cursor, source, piece, number, key)

    monkeypatch.setattr(module, "read_piece", read)
    unit = Unit(con, SOURCE, None)
    with start_workers(threads) as workers:
        for number in range(1, 5):
            file_id = "g" if number == 4 else "f"
            unit.read(file_id, a_piece(tmp_path / f"{number:06}.piece", TWO_ROWS), workers.readers)
        assert {file_id: error.code for file_id, error in unit.wait().items()} == {"f": "code2"}
    assert {piece for piece, _, _ in rows(con)} == {1, 4}


def test_an_error_that_is_no_files_fault_goes_on(con, tmp_path, monkeypatch):
    """Such as a full disk."""

    def read(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(module, "read_piece", read)
    unit = Unit(con, SOURCE, None)
    unit.read("f", a_piece(tmp_path / "000001.piece", TWO_ROWS), None)
    with pytest.raises(OSError, match="the disk is full"):
        unit.wait()


@pytest.mark.parametrize(
    ("partition", "memory_mb", "units"),
    [
        ([], 8_192, 1),
        (["day(_loaded_at)"], 8_192, 1),
        (["month(day)"], 512, 1),
        (["month(day)"], 1_024, 1),
        (["month(day)"], 4_096, 4),
        (["day(_loaded_at)", "month(day)"], 4_096, 4),
    ],
)
def test_how_large_a_unit_is(partition, memory_mb, units):
    """Where rows go to many partitions, as large as memory allows."""
    source = a_source(partition=partition)
    assert unit_bytes(source, memory_mb) == units * LoadingPolicy.unit_bytes
