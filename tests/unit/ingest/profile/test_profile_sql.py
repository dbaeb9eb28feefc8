"""One piece, counted in one pass."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from lakehouse.errors import BadFile
from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.ingest.profile.profile_sql import count_piece
from lakehouse.ingest.reading.piece import Layout, Piece


@pytest.fixture
def count(tmp_path):
    """Return a function that counts text as a piece; `highest`: by column, the highest hash that is wanted."""
    with duckdb.connect() as con:

        def count(text, layout, highest=None, step=1):
            path = tmp_path / "0.piece"
            path.write_text(text)
            header_lines = 1 if layout.kind == "delimited" else 0
            return count_piece(con, Piece(path, layout, len(text), header_lines), path, highest or {}, step)

        yield count


CSV = Layout("delimited", ",", ("a", "b"))
JSON_LINES = Layout("json_lines")


def test_filled_rows_and_lengths_are_of_all_rows(count):
    """Spaces around a value do not count, and what is empty is no value."""
    counts = count("a,b\n x ,\nyyy,\nx,\n", CSV)
    assert (counts.rows, counts.unreadable, counts.left_out) == (3, {}, 0)
    filled = {column.name: (column.filled, column.lengths) for column in counts.columns}
    assert filled == {"a": (3, (1, 3)), "b": (0, None)}
    hashes = counts.columns[0].hashes
    assert len(hashes) == 3
    assert len(np.unique(hashes)) == 2


def test_one_row_of_so_many_is_sampled(count):
    """The first among them."""
    counts = count("a,b\n" + "".join(f"{n},\n" for n in range(1, 8)), CSV, step=3)
    assert counts.sampled_rows.tolist() == [1, 4, 7]
    assert counts.columns[0].sampled.to_pylist() == ["1", "4", "7"]
    assert counts.columns[1].sampled.to_pylist() == [None] * 3


def test_hashes_above_the_highest_wanted_are_left_out(count):
    """Rows that are filled count all the same."""
    text = "a,b\n" + "".join(f"{n},{n}\n" for n in range(100))
    both = count(text, CSV, {"a": 1 << 63})
    limited, all_hashes = (column.hashes for column in both.columns)
    assert limited.tolist() == [value for value in all_hashes.tolist() if value <= 1 << 63]
    assert [column.filled for column in both.columns] == [100, 100]


def test_many_columns_are_counted_by_several_queries(count, monkeypatch):
    """With the same result; rows that cannot be split are counted once."""
    names = tuple(f"c{n}" for n in range(7))
    text = ",".join(names) + "\n" + ",".join("1234567") + "\nshort\n"
    whole = count(text, Layout("delimited", ",", names))
    monkeypatch.setattr(ProfilePolicy, "columns_per_query", 3)
    cut = count(text, Layout("delimited", ",", names))
    assert cut.unreadable == whole.unreadable == {"too_few_fields": 1}
    assert [column.sampled.to_pylist() for column in cut.columns] == [[digit] for digit in "1234567"]
    assert [column.name for column in cut.columns] == [column.name for column in whole.columns]


def test_keys_of_json_become_columns(count, monkeypatch):
    """In the order in which they come, up to a limit; lines that are no objects are counted by code."""
    text = '{"a": 1}\n{"b/c": "x", "a": null}\n[1]\n{\n{"d": {"e": 1}}\n'
    counts = count(text, JSON_LINES)
    sampled = {column.name: column.sampled.to_pylist() for column in counts.columns}
    assert sampled == {"a": ["1", None, None], "b/c": [None, "x", None], "d": [None, None, '{"e":1}']}
    assert counts.unreadable == {"not_an_object": 1, "invalid_json": 1}
    monkeypatch.setattr(ProfilePolicy, "max_columns", 2)
    limited = count(text, JSON_LINES)
    assert ([column.name for column in limited.columns], limited.left_out) == (["a", "b/c"], 1)


def test_long_values_are_cut_and_long_json_stays_json(count, monkeypatch):
    """The sample has its beginning, or an empty object or array."""
    monkeypatch.setattr(ProfilePolicy, "value_characters", 5)
    counts = count('{"o": {"k": 123}, "l": [1, 2, 3], "t": "long text"}\n', JSON_LINES)
    assert [column.sampled.to_pylist() for column in counts.columns] == [["{}"], ["[]"], ["long "]]
    assert counts.columns[2].lengths == (9, 9)


def test_a_piece_that_its_reader_gives_up_on_is_a_bad_file(tmp_path):
    """Its code says so."""
    path = tmp_path / "0.piece"
    path.write_bytes(b"PAR1 not really")
    piece = Piece(path, Layout("parquet"), 15, row_count=1)
    with duckdb.connect() as con, pytest.raises(BadFile) as refused:
        count_piece(con, piece, path, {}, 1)
    assert refused.value.code == "unreadable_file"
