"""Functions of SQL that were made once, in a database file of this process that later connections copy them from.

To make the functions of `lakehouse.engine.sql_functions` DuckDB binds their SQL, 10 ms of processor; what is copied has
been bound, 4 ms. The first connection of a process makes them itself: commands mostly have no second.
"""

from __future__ import annotations

import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from lakehouse.engine.escape import identifier, literal
from lakehouse.scratch import scratch_path

if TYPE_CHECKING:
    from collections.abc import Callable

_ALIAS: Final = "function_file"


class FunctionFile:
    """The file of one set of functions; connections of all threads may use it."""

    def __init__(self, make: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Name what makes the functions on a connection, each time the same."""
        self._make = make
        self._lock = threading.Lock()
        self._asked = False
        self._path: Path | None = None

    def create(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make the functions on a connection, or copy them; those that are there already are made anew."""
        path = self._file()
        if path is None or not _copy(path, con):
            self._make(con)

    def _file(self) -> Path | None:
        """Return the file, made when it is asked for the second time; None before, and where none can be made."""
        with self._lock:
            if self._path is None and self._asked:
                self._path = _made(self._make)
            self._asked = True
            return self._path


def _made(make: Callable[[duckdb.DuckDBPyConnection], None]) -> Path | None:
    """Return a new file with the functions; None where the disk takes none.

    The newest format alone keeps `lambda x: …` as it was written: older ones make `x -> …` of it, which DuckDB may read
    as a path into JSON.
    """
    path = scratch_path(Path(tempfile.gettempdir()), "functions")
    with closing(duckdb.connect()) as con:
        try:
            con.execute(f"ATTACH {literal(str(path))} AS {_ALIAS} (STORAGE_VERSION 'latest')")
            con.execute(f"USE {_ALIAS}")
            make(con)
        except duckdb.Error:
            return None
    return path


def _copy(path: Path, con: duckdb.DuckDBPyConnection) -> bool:
    """Copy what is in a file to a connection's own database; False where that one, or the file, is not as it should be.

    It may have the functions already, or have no access to files. A process that forked this one may have taken its
    file away.
    """
    try:
        con.execute(f"ATTACH {literal(str(path))} AS {_ALIAS} (READ_ONLY)")
    except duckdb.Error:
        return False
    try:
        [(own,)] = con.execute("SELECT current_database()").fetchall()
        con.execute(f"COPY FROM DATABASE {_ALIAS} TO {identifier(own)} (SCHEMA)")
    except duckdb.Error:
        return False
    finally:
        con.execute(f"DETACH {_ALIAS}")
    return True
