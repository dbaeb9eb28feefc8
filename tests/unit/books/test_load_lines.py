"""Lines of objects come into DuckDB in bounded memory, with the key of their object."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.books import load_lines
from lakehouse.books.book_sources import ListedObject
from lakehouse.books.policy import BooksCommitPolicy, ObjectReadPolicy


def sizes(*numbers):
    return [ListedObject(str(position), size, empty=False) for position, size in enumerate(numbers)]


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([], []),
        ([1, 1, 1], [[1, 1], [1]]),  # two objects at most
        ([60, 40, 1], [[60, 40], [1]]),
        ([60, 41], [[60], [41]]),  # a hundred bytes at most
        ([500, 1], [[500], [1]]),  # an object is never cut
    ],
)
def test_a_commit_copies_a_bounded_part(monkeypatch, objects, expected):
    """By number and by bytes."""
    monkeypatch.setattr(BooksCommitPolicy, "max_objects", 2)
    monkeypatch.setattr(BooksCommitPolicy, "max_bytes", 100)
    batches = load_lines.commit_batches(sizes(*objects))
    assert [[listed.bytes for listed in batch] for batch in batches] == expected


def test_every_line_comes_with_its_key(monkeypatch):
    """Small objects side by side, large ones after them; each in its own order of lines."""
    contents = {"0": [b"a", b"b"], "1": [b"c"], "2": [b"d"], "3": []}
    monkeypatch.setattr(load_lines, "lines", lambda _bucket, key: iter(contents[key]))
    monkeypatch.setattr(ObjectReadPolicy, "small_object_bytes", 10)
    monkeypatch.setattr(ObjectReadPolicy, "small_objects_at_once", 2)
    read = list(load_lines.read_lines("bucket", sizes(10, 11, 1, 1)))
    assert read == [("a", "0"), ("b", "0"), ("d", "2"), ("c", "1")]


@pytest.mark.parametrize("insert_bytes", [1, 1_000])
def test_lines_become_a_table(monkeypatch, insert_bytes):
    """Whatever goes in at once; a table of an earlier call is replaced, and nothing is a table without rows."""
    monkeypatch.setattr(ObjectReadPolicy, "insert_bytes", insert_bytes)
    with duckdb.connect() as con:
        for lines in ([('{"n":1}', "k1"), ('{"n":2}', "k1"), ('"\'"', "k2")], []):
            load_lines.load_objects_table(con, iter(lines))
            assert con.execute("SELECT line, key FROM objects").fetchall() == lines


@pytest.mark.parametrize("damaged", ['{"a": 1', "", "}{", "not JSON", '{"a": 1}{'])
def test_a_damaged_object_costs_only_itself(damaged):
    """None of its lines is copied, so that it is read again once it is whole; those around it are."""
    lines = [('{"a": 1}', "x"), ('{"a": 2}', "y"), (damaged, "y"), ('{"a": 3}', "z"), ("null", "w")]
    with duckdb.connect() as con:
        assert load_lines.load_objects_table(con, lines) == ["y"]
        assert con.execute("SELECT key FROM objects ORDER BY key").fetchall() == [("w",), ("x",), ("z",)]


def test_bytes_that_are_no_text_are_a_damaged_object(monkeypatch):
    """They raise nothing that would stop the others."""
    monkeypatch.setattr(load_lines, "lines", lambda _, key: [b"\xff\xfe"] if key == "bad" else [b"{}"])
    objects = [ListedObject(key, 2, empty=False) for key in ("bad", "good")]
    with duckdb.connect() as con:
        assert load_lines.load_objects_table(con, load_lines.read_lines("ops", objects)) == ["bad"]
        assert con.execute("SELECT key FROM objects").fetchall() == [("good",)]
