"""What property tests stand on that need no tables of sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC with one thread."""
    with duckdb.connect(config={"threads": "1"}) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con
