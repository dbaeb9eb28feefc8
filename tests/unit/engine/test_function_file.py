"""Functions that are copied from a file are those that were made, on each kind of connection."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from lakehouse.engine import function_file, sql_functions
from lakehouse.engine.function_file import FunctionFile

_MADE = (
    "SELECT function_name, parameters, macro_definition FROM duckdb_functions() WHERE NOT internal "
    "UNION ALL SELECT type_name, labels, NULL FROM duckdb_types() WHERE NOT internal ORDER BY ALL"
)


@pytest.fixture
def times():
    """How often functions were made."""
    return []


@pytest.fixture
def functions(times):
    made_by = sql_functions._file_of(sql_functions.statements())._make

    def make(con: duckdb.DuckDBPyConnection) -> None:
        times.append(con)
        made_by(con)

    return FunctionFile(make)


def made_on(functions: FunctionFile, **config: str) -> list[tuple]:
    with closing(duckdb.connect(config=config)) as con:
        functions.create(con)
        return con.execute(_MADE).fetchall()


def test_copies_are_word_for_word_what_was_made(functions, times):
    """The first connection makes them, the second the file, and no later one binds them again."""
    first, *others = (made_on(functions) for _ in range(4))
    assert len(first) > 20
    assert all(each == first for each in others)
    assert len(times) == 2


def test_a_connection_that_has_them_already_has_them_still(functions):
    with closing(duckdb.connect()) as con:
        for _ in range(3):
            functions.create(con)
        assert con.execute("SELECT order_state('paid')").fetchall() == [("sold",)]
        assert [name for name, *_ in con.execute("SHOW DATABASES").fetchall()] == ["memory"]


def test_without_access_to_files_they_are_made(functions):
    made = made_on(functions)
    assert [made_on(functions, enable_external_access="false") for _ in range(2)] == [made, made]


def test_a_file_that_was_taken_away_is_not_missed(functions, times):
    """As by the end of the process that was forked."""
    made = made_on(functions)
    made_on(functions)
    functions._path.unlink()
    assert made_on(functions) == made
    assert len(times) == 3


def test_a_disk_that_takes_no_file_stops_nobody(functions, times, tmp_path, monkeypatch):
    monkeypatch.setattr(function_file, "scratch_path", lambda *_: tmp_path / "missing" / "functions")
    assert made_on(functions) == made_on(functions)
    assert len(times) == 2


def test_a_database_in_a_file_has_them_too(functions, tmp_path):
    made_on(functions)
    path = tmp_path / "my data.duckdb"
    for _ in range(2):
        with closing(duckdb.connect(path)) as con:
            functions.create(con)
    with closing(duckdb.connect(shutil.copy(path, tmp_path / "copy.duckdb"))) as con:
        assert con.execute("SELECT order_state('paid')").fetchall() == [("sold",)]


def test_threads_copy_at_once(functions, times):
    made = made_on(functions)
    with ThreadPoolExecutor(8) as pool:
        assert all(each == made for each in pool.map(lambda _: made_on(functions), range(24)))
    assert len(times) == 2


def test_the_file_goes_with_the_process(functions):
    """It stands in the folder whose lock says whether the process lives."""
    made_on(functions)
    made_on(functions)
    assert (Path(functions._path).parent / ".lock").exists()
