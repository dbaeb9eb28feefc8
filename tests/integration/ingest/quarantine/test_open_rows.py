"""What is in quarantine now, from the objects or from their copy: the same answer, however far the copy is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.errors import Terminal
from lakehouse.ingest.batch import ingest
from lakehouse.ingest.quarantine import open_rows
from lakehouse.ingest.quarantine.open_rows import QuarantineFilter
from lakehouse.stages import analyst_sql
from lakehouse.stages.books import keep_books
from lakehouse.tables import appending, data_files
from lakehouse.tables import catalog as catalogs
from tests.support.replays import a_shop, expire_all


@pytest.fixture
def shop(company, monkeypatch, tmp_path):
    """Two exports with three bad rows of two codes, and a file of no source."""
    with a_shop(company, monkeypatch, tmp_path / "definitions") as made:
        made.files = [
            made.land("1.csv", "O1 USD", "O2 EUR", "O3 CHF"),
            company.land("shop/orders", "2.csv", "order_id,ordered_at,amount\nO4,never,1\nO5,2026-01-05,1\n"),
            made.land("3.csv", "O9 USD", source="erp"),
        ]
        assert not ingest(company.settings, made.files).failed
        yield made


def groups_of(shop, criteria=QuarantineFilter()):  # noqa: B008 - it is frozen
    groups = open_rows.group_rows(shop.company.settings, criteria)
    return [(group.source, group.entity, group.code, group.files, group.rows) for group in groups]


ALL = [
    ("shop", "orders", "not_allowed", 1, 2),
    ("erp", "orders", "unknown_source", 1, 1),
    ("shop", "orders", "bad_timestamp", 1, 1),
]


def test_the_copy_may_lag_or_be_complete(shop):
    """Before the books copied anything, after, and with one file behind."""
    assert groups_of(shop) == ALL
    keep_books(shop.company.settings)
    assert groups_of(shop) == ALL
    late = shop.land("4.csv", "O7 NOK")
    ingest(shop.company.settings, [late])
    assert groups_of(shop) == [("shop", "orders", "not_allowed", 2, 3), *ALL[1:]]


def test_what_the_copy_has_is_not_read_again(shop, monkeypatch):
    """A hundred thousand objects would take minutes."""
    keep_books(shop.company.settings)
    monkeypatch.setattr(open_rows, "lines", None)
    assert groups_of(shop) == ALL


def test_a_copy_that_lacks_rows_is_not_used(shop):
    """Rows are missing from it: the objects say what is bad."""
    keep_books(shop.company.settings)
    table = catalogs.open_catalog(shop.company.settings).load_table("ops.quarantine")
    con = analyst_sql.connect(shop.company.settings)
    try:
        written = data_files.write(con, table, "SELECT * FROM ops.quarantine WHERE row = 3", "tampered")
    finally:
        con.close()
    base = table.current_snapshot().snapshot_id
    appending.replace_written(con, table, written, computed_from={}, base=base)
    assert groups_of(shop) == ALL


def test_only_the_last_generation_counts(shop):
    """What a replay fixed is no longer in quarantine, though the books remember it."""
    keep_books(shop.company.settings)
    shop.takes("USD", "EUR")
    shop.replay()
    for _ in range(2):
        assert groups_of(shop)[:1] == [("erp", "orders", "unknown_source", 1, 1)]
        assert sorted(groups_of(shop)[1:]) == [
            ("shop", "orders", "bad_timestamp", 1, 1), ("shop", "orders", "not_allowed", 1, 1),
        ]  # fmt: skip
        keep_books(shop.company.settings)
    old = "select count(*) from ops.quarantine where code = 'not_allowed'"
    assert shop.company.ask(old) == [(3,)]


def test_choosing(shop):
    """By source, entity, code and time, by file."""
    first = shop.files[0].file_id
    assert groups_of(shop, QuarantineFilter("shop")) == [ALL[0], ALL[2]]
    assert groups_of(shop, QuarantineFilter("shop/orders", "bad_timestamp")) == [ALL[2]]
    assert groups_of(shop, QuarantineFilter("shop/customers")) == []
    with pytest.raises(Terminal, match=r"no source shop/contacts; did you mean .*/contacts"):
        groups_of(shop, QuarantineFilter("shop/contacts"))
    assert groups_of(shop, QuarantineFilter(file_ids=(first[:10],))) == [ALL[0]]
    assert groups_of(shop, QuarantineFilter(since=datetime.now(UTC) - timedelta(hours=1))) == ALL
    assert groups_of(shop, QuarantineFilter(since=datetime.now(UTC) + timedelta(hours=1))) == []


def test_a_group_has_an_example(shop):
    """A file, a row in it, and what is wrong with it: of the row that came last."""
    (group,) = open_rows.group_rows(shop.company.settings, QuarantineFilter(code="bad_timestamp"))
    assert (group.file_id, group.row) == (shop.files[1].file_id, 1)
    assert "ordered_at" in group.reason
    assert group.first == group.last
    (group,) = open_rows.group_rows(shop.company.settings, QuarantineFilter(code="unknown_source"))
    assert (group.file_id, group.row) == (shop.files[2].file_id, None)


def test_it_stays_known_after_its_summary_has_expired(shop):
    """The ledger says then which generation is the last."""
    keep_books(shop.company.settings)
    shop.takes("USD", "EUR")
    shop.replay()
    keep_books(shop.company.settings)
    shop.company.orders("6.csv", "O10,C1,2026-01-08,1.00")
    before = groups_of(shop)
    catalog = catalogs.open_catalog(shop.company.settings)
    raw = catalog.load_table("raw.shop_orders")
    assert expire_all(shop.company.settings, "raw.shop_orders") > 0
    assert len(raw.refresh().metadata.snapshots) == 1
    assert groups_of(shop) == before
    shop.takes()
    assert shop.replay().loaded == 1
    assert shop.unbalanced() == ()
