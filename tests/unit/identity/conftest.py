from __future__ import annotations

import duckdb
import pytest


@pytest.fixture
def con():
    """Give a connection as a function has it: UTC, and no reading of Python's variables or of files."""
    con = duckdb.connect(config={"threads": "1"})
    con.execute("SET TimeZone='UTC'; SET python_enable_replacements=false; SET enable_external_access=false")
    yield con
    con.close()
