"""The ledger's rows as commit summaries give them."""

from __future__ import annotations

from datetime import UTC, datetime

from lakehouse.books.ledger_rows import from_summaries
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.contracts import LEDGER
from tests.support.lakes import a_contract, a_record


def test_every_generation_that_a_raw_table_names_is_a_row(lake):
    """With the commit that carried it, in the columns of the ledger; other tables' summaries are not asked."""
    catalog = open_catalog(lake)
    assert from_summaries(catalog) == {}
    for name in ("raw.a", "core.b"):
        table = ensure(catalog, a_contract(name))
        append(table, [], records=[a_record(f"file of {name}", 0)])
    rows = from_summaries(catalog)
    assert list(rows) == ["file of raw.a"]
    row = rows["file of raw.a"]
    assert row.keys() == {column.name for column in LEDGER.columns}
    snapshot = catalog.load_table("raw.a").current_snapshot()
    committed_at = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC).isoformat()
    assert (row["table_name"], row["snapshot_id"], row["committed_at"]) == (
        "raw.a", snapshot.snapshot_id, committed_at,
    )  # fmt: skip
