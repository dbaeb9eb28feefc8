"""Which source is meant, and how sources are listed; refilling one is tried with its table: tests/integration."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal
from lakehouse.stages.refill_source import describe_source, find_source
from tests.support.units import a_source

COLUMNS = [
    {"name": "id", "from": "Id", "doc": "Id"},
    {"name": "email", "from": "Mail", "doc": "E-mail", "collect": "drop"},
    {"name": "day", "from": "Day", "type": "date", "doc": "Day"},
]


def test_a_source_is_found_by_its_name():
    """Source and entity with a slash between; whoever mistypes it sees those that there are."""
    source = a_source()
    assert find_source({("a", "b"): source}, "a/b") is source
    with pytest.raises(
        Terminal, match=r"no source a/c; did you mean a/b\? `lakehouse sources list` shows all"
    ):
        find_source({("a", "b"): source}, "a/c")


def test_a_source_is_described_by_its_columns():
    """A column that is dropped has no field id, and says so."""
    described = describe_source(a_source(columns=COLUMNS))
    assert (described["source"], described["entity"], described["table"], described["format"]) == (
        "a", "b", "raw.a_b", "ndjson",
    )  # fmt: skip
    identity, email, day = described["columns"]
    assert identity == {"id": 5, "name": "id", "type": "string", "from": "Id"}
    assert (email["id"], email["collect"]) == (None, "dropped")
    assert (day["id"], day["type"], "collect" in day) == (6, "date", False)
