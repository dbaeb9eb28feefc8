"""Raw files become rows, exactly once, on a real object store; what is bad costs only itself."""

from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse import aws
from lakehouse.books import copy_to_ops
from lakehouse.landing.raw_files import listing
from lakehouse.tables import ledger
from lakehouse.tables.catalog import load, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.data_files import read_sql
from lakehouse.tables.maintenance.expire import expire
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.replace_table import replace_all
from tests.support.files import ENDS, ORDERS, csv_file, events, ndjson_file, orders, read_events, read_orders
from tests.support.lakes import a_record, in_threads, write
from tests.support.raw_files import (
    a_company,
    meet_before_commit,
    message,
    messages,
    records,
    shop_csv,
)

pytestmark = pytest.mark.stack


@pytest.fixture
def company(landing):
    with a_company(landing) as company:
        yield company


# --- bad input


def test_the_issues_bad_input(company):
    """Each bad thing is exactly one entry with file, row, code and reason; the good rows around it load."""
    lines = [message(n) for n in range(1, 31)]
    lines[16] = b'{"messageId": "m17", \n'
    whole = gzip.compress(messages(*range(100, 140)), mtime=0)
    rows = shop_csv(1, 2).replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    bad = {
        company.put("web/events/broken.json.gz", whole[:-20]): (None, "truncated_gzip"),
        company.put("shop/orders/short.csv", b"\n".join([*rows[:2], b"o9,7", rows[2]])): (
            2,
            "too_few_fields",
        ),
        company.put("web/events/line17.json", b"".join(lines)): (17, "invalid_json"),
        company.put("shop/orders/empty.csv", b""): (None, "empty_file"),
        company.put("web/events/empty.json.gz", gzip.compress(b"")): (None, "empty_file"),
        company.put("erp/unheard_of/unknown.csv", shop_csv(5)): (None, "unknown_source"),
        company.put("shop/orders/picture.csv", random.Random(1).randbytes(4_000)): (None, "not_text"),
        company.put("shop/orders/old.csv", b"id;when\n1;2\n"): (None, "missing_column"),
    }
    gone = company.put("shop/orders/gone.csv", shop_csv(6))
    aws.s3().delete_object(Bucket=gone.bucket, Key=gone.key, VersionId=gone.version)
    bad[gone] = (None, "object_gone")
    good = {
        company.put("shop/orders/with spaces 订单 '2024' %2e+&.csv", shop_csv(3, 4)),
        company.put("web/events/fine.json.gz", gzip.compress(messages(50, 51))),
    }
    outcome = company.ingest(*bad, *good)
    for file, (row, code) in bad.items():
        (entry,) = company.quarantined(file)
        assert (entry["row"], entry["code"]) == (row, code)
        assert (entry["file_id"], entry["bucket"], entry["key"]) == (file.file_id, file.bucket, file.key)
        assert entry["reason"]
    assert all(company.quarantined(file) == [] for file in good)
    assert {row["order_id"] for row in company.rows("raw.shop_orders")} == {"o1", "o2", "o3", "o4"}
    loaded = {row["message_id"] for row in company.rows("raw.events")}
    assert loaded == {f"m{n}" for n in [*range(1, 17), *range(18, 31), 50, 51]}
    assert len(outcome.records) == len(bad) + len(good)
    again = company.ingest(*bad, *good)
    assert again.known == len(bad) + len(good) - 1  # the file that no table takes is refused again
    assert [len(company.quarantined(file)) for file in bad] == [1] * len(bad)


def test_rows_are_what_the_file_says(company):
    """Header in another order and case, columns that nobody mapped, every type."""
    body = (
        b"AMOUNT,Order_ID,voucher,ordered_at,Quantity\r\n"
        b'11.77,o1,"X, ""1""",1997-01-01T08:00:00+08:00,2\r\n'
        b"-0.5,o2,,1998-06-30 23:59:59.999999,\r\n"
    )
    file = company.put("shop/orders/export.csv", body)
    company.ingest(file)
    first, second = company.rows("raw.shop_orders")
    assert (first["_file_id"], first["_row"], first["order_id"]) == (file.file_id, 1, "o1")
    assert (first["amount"], first["quantity"]) == (Decimal("11.77"), 2)
    assert first["ordered_at"] == datetime(1997, 1, 1, tzinfo=UTC)
    assert json.loads(first["extra"]) == {"voucher": 'X, "1"'}
    assert (second["amount"], second["quantity"]) == (Decimal("-0.50"), None)
    assert second["ordered_at"] == datetime(1998, 6, 30, 23, 59, 59, 999_999, UTC)
    assert datetime.now(UTC) - first["_loaded_at"] < timedelta(minutes=1)


@tried(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(orders, min_size=1, max_size=15),
    lines=st.lists(events, min_size=1, max_size=15),
    end=st.sampled_from(ENDS),
    packed=st.booleans(),
)
def test_no_row_goes_missing(company, tmp_path, rows, lines, end, packed):
    """Whatever files hold: received = loaded + duplicates + quarantined, and what is loaded is what they say."""
    (tmp_path / "mine" / "sources").mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(json.loads(ORDERS.model_dump_json(by_alias=True)))
    (tmp_path / "mine" / "sources" / "erp.yaml").write_text(text)
    company.settings = company.settings.model_copy(update={"definitions": tmp_path / "mine"})
    wrap = gzip.compress if packed else bytes
    of_shop = company.put("erp/orders/x", wrap(csv_file(rows, [end], bom=False, last_end=True)))
    of_web = company.put("web/events/x", wrap(ndjson_file(lines, [end], bom=False, last_end=True)))
    outcome = company.ingest(of_shop, of_web)
    expected = read_orders(rows)
    assert records(outcome)[of_shop.file_id] == (expected.received, len(expected.good), 0, len(expected.bad))
    assert {entry["row"] for entry in company.quarantined(of_shop)} == expected.bad
    loaded = [row for row in company.rows("raw.erp_orders") if row["_file_id"] == of_shop.file_id]
    assert {row["_row"]: row["order_id"] for row in loaded} == {
        place: row["order_id"] for place, row in expected.good.items()
    }
    seen = read_events(lines)
    received, fresh, twice, bad = records(outcome)[of_web.file_id]
    assert (received, bad, fresh + twice) == (seen.received, len(seen.bad), len(seen.good))
    assert {entry["row"] for entry in company.quarantined(of_web)} == seen.bad
    everything = [row["message_id"] for row in company.rows("raw.events")]
    assert {row["message_id"] for row in seen.good.values()} <= set(everything)
    assert len(set(everything)) == len(everything)
    assert company.unbalanced() == ()


# --- exactly once


def test_a_file_delivered_many_times_loads_once(company):
    """Five times one after the other, and twice in one batch, announced in different ways."""
    file = company.put("shop/orders/x.csv", shop_csv(1, 2, 3))
    (listed,) = listing(file.bucket, file.key)
    outcome = company.ingest(file, listed)
    assert records(outcome) == {file.file_id: (3, 3, 0, 0)}
    for _ in range(4):
        assert company.ingest(file, listed).known == 1
    assert len(company.rows("raw.shop_orders")) == 3


def test_batches_that_share_files_load_each_once(company, monkeypatch):
    """Two functions have the same files in hand at the same moment, and commit."""
    files = [company.put("shop/orders/x.csv", shop_csv(number)) for number in range(4)]
    meet_before_commit(monkeypatch, 2)
    outcomes = in_threads(2, lambda number, _: company.ingest(*files[number : number + 3]))
    assert sorted(row["order_id"] for row in company.rows("raw.shop_orders")) == ["o0", "o1", "o2", "o3"]
    assert sum(len(outcome.records) for outcome in outcomes) == 4
    assert len(company.data_files()) == 2  # the loser's first attempt left nothing


def test_messages_in_concurrent_batches_load_once(company, monkeypatch):
    """Different files with the same messages: neither batch saw the other's when it looked."""
    first = company.put("web/events/a.json", messages(1, 2, 3))
    second = company.put("web/events/b.json", messages(2, 3, 4))
    meet_before_commit(monkeypatch, 2)
    outcomes = in_threads(2, lambda number, _: company.ingest([first, second][number]))
    assert sorted(row["message_id"] for row in company.rows("raw.events")) == ["m1", "m2", "m3", "m4"]
    assert sum(record.duplicates for outcome in outcomes for record in outcome.records) == 2


def test_a_file_is_loaded_once_after_its_summary_expired(company):
    """The books have copied it to the ledger, which is asked where summaries no longer reach."""
    file = company.put("shop/orders/x.csv", shop_csv(1))
    company.ingest(file)
    company.ingest(company.put("shop/orders/y.csv", shop_csv(2)))
    catalog = open_catalog(company.settings)
    table = load(catalog, "raw.shop_orders")
    later = datetime.now(UTC) + timedelta(days=1)
    one = MaintenancePolicy(min_snapshots_to_keep=1)
    assert expire(catalog, table, one, now=later).snapshots == 0
    copy_to_ops.run(company.settings, ())
    assert expire(catalog, table, one, now=later).snapshots == 1
    assert [record.key for _, _, record in ledger.in_summaries(table)] != [file.key]
    assert company.ingest(file).known == 1
    assert len(company.rows("raw.shop_orders")) == 2


# --- one message, one row


def test_a_message_is_one_row_however_often_it_is_sent(company):
    """Within a file, within a batch, and in a later batch; the first one by file and place stays."""
    body = message(1, context={"n": "first"}) + message(1, context={"n": "second"}) + messages(2)
    first, second = company.put("web/events/a.json", body), company.put("web/events/b.json", messages(2, 3))
    counts = records(company.ingest(first, second))
    assert (counts[first.file_id][2], counts[second.file_id][2]) in {(1, 1), (2, 0)}
    later = company.put("web/events/c.json.gz", gzip.compress(messages(1, 3, 4)))
    assert records(company.ingest(later)) == {later.file_id: (3, 1, 2, 0)}
    rows = {row["message_id"]: row["context"] for row in company.rows("raw.events")}
    assert rows == {"m1": '{"n":"first"}', "m2": None, "m3": None, "m4": None}
    assert len(company.rows("raw.events")) == 4


def test_a_bad_row_does_not_hide_a_good_one(company):
    """A message that is set aside is not there yet: the corrected one loads."""
    file = company.put("web/events/a.json", message(1, type="click") + message(1))
    assert records(company.ingest(file)) == {file.file_id: (2, 1, 0, 1)}


def test_messages_are_remembered_for_seven_days(company):
    """By when they were loaded, whatever their own clock says."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    company.clock = lambda: now
    company.ingest(company.put("web/events/a.json", messages(1)))
    for after, duplicates in ((timedelta(days=6, hours=23), 1), (timedelta(days=7, seconds=1), 0)):
        company.clock = lambda after=after: now + after
        file = company.put("web/events/b.json", messages(1))
        assert records(company.ingest(file)) == {file.file_id: (1, 1 - duplicates, duplicates, 0)}


def test_a_file_of_old_and_new_rows_is_told_apart(company):
    """Compaction puts arrivals of many days into one file: those in the window count, and no others."""
    company.ingest(company.put("web/events/a.json", messages(0)))
    table = load(open_catalog(company.settings), "raw.events")
    ages = "'m' || n AS message_id, now() - to_days(n * 8) AS _loaded_at"
    (loaded,) = company.data_files()
    query = f"SELECT * EXCLUDE n REPLACE ({ages}) FROM ({read_sql(table, [str(loaded)])}), range(2) AS r(n)"
    base = table.current_snapshot().snapshot_id
    replace_all(table, write(company.settings, table, query).files, computed_from={}, base=base)
    file = company.put("web/events/b.json", messages(0, 1))
    assert records(company.ingest(file)) == {file.file_id: (2, 1, 1, 0)}
    append(table.refresh(), [], records=[a_record("the other old one", 1)])  # the books ask for it


def test_rows_of_other_sources_are_all_kept(company):
    """A CRM's export is a log of versions: equal rows are received rows."""
    file = company.put("shop/orders/x.csv", shop_csv(1, 1, 1))
    assert records(company.ingest(file)) == {file.file_id: (3, 3, 0, 0)}
