"""The books say whether every row that was received is where they say, and notice when one is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.books import balance
from lakehouse.sources import definition
from lakehouse.stages import analyst_sql
from lakehouse.stages.books import keep_books
from lakehouse.stages.status import status
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, data_files, replace_table
from tests.support.replays import expire_all
from tests.support.small_company import SmallCompany

COUNTS = ("files", "received", "loaded", "duplicates", "quarantined", "in_flight", "balanced")


@pytest.fixture
def shop(company) -> SmallCompany:
    """Four files: five good rows, two bad ones, one resent message, one file of a source nobody knows."""
    company.orders("1.csv", "O1,C1,2026-01-05,10.00", "O2,C2,not a day,5.00", "O3,C3,2026-01-07,3.00")
    event = '{"type":"page","messageId":"m%d","anonymousId":"a","timestamp":"2026-01-01T00:00:00Z"}\n'
    company.load("web/events", "1.ndjson", event % 1 + event % 2)
    company.load("web/events", "2.ndjson", event % 2 + event % 3)
    company.load("nobody/knows", "x.csv", "a,b\n1,2\n")
    return company


def counts(company: SmallCompany) -> tuple:
    found = status(company.settings)["ingest"]
    return tuple(found[name] for name in COUNTS)


def test_received_is_loaded_and_duplicates_and_quarantined(shop):
    """Before the ledger was written and after, and when the summaries it was copied from have expired."""
    expected = (4, 8, 5, 1, 2, 0, True)
    assert counts(shop) == expected
    keep_books(shop.settings)
    assert counts(shop) == expected
    assert expire_all(shop.settings, "raw.events") == 1
    assert counts(shop) == expected


def test_a_source_that_is_defined_no_longer_still_counts(shop, monkeypatch):
    """Its table, its rows and what the commits say of them are there, whoever took the definition away."""
    expected = counts(shop)
    left = {place: source for place, source in definition.load().items() if place != ("web", "events")}
    monkeypatch.setattr(definition, "load", lambda _=None: left)
    assert counts(shop) == expected
    assert keep_books(shop.settings)["ops.ingest_ledger"] == 4


def test_a_file_that_waits_is_in_flight(shop):
    """Landed and not loaded is neither lost nor unbalanced."""
    shop.land("shop/orders", "late.csv", "order_id\n")
    assert counts(shop) == (5, 8, 5, 1, 2, 1, True)


def test_an_empty_lake_balances(company):
    """Nothing received, nothing missing."""
    assert counts(company) == (0, 0, 0, 0, 0, 0, True)
    assert status(company.settings) == {
        "ingest": status(company.settings)["ingest"],
        "tables": {},
        "deliveries": {},
        "definitions": [],
        "stopped": {},
        "destinations": {},
    }


def unbalanced(company: SmallCompany) -> tuple[str, ...]:
    catalog = catalogs.open_catalog(company.settings)
    names = catalogs.table_names(catalog)
    return balance.ingested(company.settings, {name: catalog.load_table(name) for name in names}).unbalanced


def rewrite(company: SmallCompany, query: str) -> None:
    """Put other rows into the raw table of orders, as nobody but ingest should."""
    table = catalogs.open_catalog(company.settings).load_table("raw.shop_orders")
    con = analyst_sql.connect(company.settings)
    try:
        written = data_files.write(con, table, query, "tampered")
    finally:
        con.close()
    replace_table.replace_all(
        table, written.files, computed_from={}, base=table.current_snapshot().snapshot_id
    )


def test_a_lost_row_is_noticed(shop):
    """A table that holds fewer rows than were loaded is named."""
    rewrite(shop, "SELECT * FROM raw.shop_orders WHERE order_id <> 'O1'")
    assert unbalanced(shop) == ("raw.shop_orders",)
    assert counts(shop)[-1] is False


def test_a_doubled_row_is_noticed(shop):
    """A table that holds more rows than were loaded is named."""
    rewrite(shop, "SELECT * FROM raw.shop_orders UNION ALL (SELECT * FROM raw.shop_orders LIMIT 1)")
    assert unbalanced(shop) == ("raw.shop_orders",)


def test_a_file_whose_rows_do_not_add_up_is_noticed(shop):
    """Received more than loaded, duplicates and quarantined together: the file is named."""
    raw = catalogs.open_catalog(shop.settings).load_table("raw.shop_orders")
    (record,) = commit.file_records(raw.current_snapshot())
    doctored = replace(record, file_id="doctored", received=7, loaded=0, quarantined=6)
    commit.append(raw, [], records=[doctored])
    assert unbalanced(shop) == ("doctored",)


def test_tables_tell_their_size(shop):
    """Rows, files, bytes, snapshots and the time of the last one."""
    table = status(shop.settings)["tables"]["raw.events"]
    assert (table["rows"], table["files"], table["snapshots"]) == (3, 2, 2)
    assert table["bytes"] > 0
    assert datetime.now(UTC) - datetime.fromisoformat(table["latest"]) < timedelta(minutes=5)
