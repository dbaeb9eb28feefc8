"""Which columns take values from `extra`, and which keys are theirs."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal
from lakehouse.ingest.refill.refill_plan import match_keys, pending_columns
from tests.support.units import a_source

SYSTEM = {1: "_file_id", 2: "_row", 3: "_loaded_at", 4: "extra"}
SOURCE = a_source(
    columns=[
        {"name": "id", "from": "Id", "doc": "Id"},
        {"name": "store", "from": "Store Name", "also": ["Shop"], "doc": "Store"},
    ]
)


@pytest.mark.parametrize(
    ("known", "last", "columns", "new"),
    [
        ({5: "id"}, 5, ["id", "store"], {"store": "VARCHAR"}),  # the table is about to get it
        ({5: "id", 6: "store"}, 6, ["id", "store"], {}),
        ({5: "id"}, 6, ["id"], {}),  # the table dropped it
    ],
)
def test_which_columns_take_values(known, last, columns, new):
    """Those that the table has, and those that it is about to get."""
    pending, types = pending_columns(SOURCE, SYSTEM | known, last)
    assert ([column.name for column in pending], types) == (columns, new)


def test_a_column_of_another_name_in_the_table_is_refused():
    """It may mean something else by now."""
    with pytest.raises(Terminal, match="store has another name in the catalog"):
        pending_columns(SOURCE, SYSTEM | {5: "id", 6: "shop"}, 6)


@pytest.mark.parametrize(
    ("text_format", "keys", "matched"),
    [
        ("csv", ["STORE  name", "Shop", "other"], [("STORE  name", "store"), ("Shop", "store")]),
        ("ndjson", ["STORE NAME", "Store Name"], [("Store Name", "store")]),
    ],
)
def test_which_keys_belong_to_a_column(text_format, keys, matched):
    """A header in any case, JSON to the letter."""
    source = SOURCE.model_copy(update={"format": text_format})
    moves = match_keys(source, source.stored, keys)
    assert [(move.key, move.column.name) for move in moves] == matched
    assert {move.trimmed for move in moves} == {text_format == "csv"}
