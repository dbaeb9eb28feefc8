"""Raw files become rows, exactly once, on a real object store; what is bad costs only itself."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse import aws, signals
from lakehouse.books import balance, copy
from lakehouse.errors import CommitConflict, Transient
from lakehouse.ingest import batch
from lakehouse.ingest.batch import ingest, utc_now
from lakehouse.landing.files import RawFile, from_object, listing
from lakehouse.stages.ingest import ingest_records
from lakehouse.tables import ledger, maintenance
from lakehouse.tables.catalog import load, open_catalog, table_names
from tests.support.files import ENDS, ORDERS, csv_file, events, ndjson_file, orders, read_events, read_orders
from tests.support.lakes import in_threads

if TYPE_CHECKING:
    from lakehouse.settings import Settings

pytestmark = pytest.mark.stack
ORDER_COLUMNS = ("order_id", "customer_id", "ordered_at", "quantity", "amount", "currency")


@dataclass
class Company:
    """A landing bucket to put files in, and a lake that is empty at first."""

    settings: Settings
    clock: Any = utc_now

    def put(self, key: str, body: bytes) -> RawFile:
        """Land a file under a key of its own; `key` begins with source and entity."""
        source, entity, name = key.split("/", 2)
        key = f"{source}/{entity}/{uuid.uuid4().hex}/{name}"
        answer = aws.s3().put_object(Bucket=self.settings.landing_bucket, Key=key, Body=body)
        return from_object(self.settings.landing_bucket, {"key": key, **answer, "size": len(body)})

    def ingest(self, *files: RawFile) -> Any:
        """Load files; nothing may come back to the queue."""
        outcome = ingest(self.settings, files, self.clock)
        assert outcome.failed == set()
        return outcome

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table by file and place."""
        found = load(open_catalog(self.settings), table)
        if found is None:
            return []
        rows = found.scan().to_arrow().to_pylist()
        return sorted(rows, key=lambda row: (row["_file_id"], row["_row"]))

    def quarantined(self, file: RawFile) -> list[dict[str, Any]]:
        """Return what was set aside of a file."""
        key = f"quarantine/{file.file_id}.json"
        if not list(listing(self.settings.ops_bucket, key)):
            return []
        body = aws.s3().get_object(Bucket=self.settings.ops_bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in body.splitlines()]

    def unbalanced(self) -> tuple[str, ...]:
        """Return what does not add up in the books, over all files of this lake."""
        catalog = open_catalog(self.settings)
        tables = {name: table for name in table_names(catalog) if (table := load(catalog, name))}
        return balance.ingested(self.settings, tables).unbalanced

    def data_files(self) -> set[Path]:
        """Return the Parquet files on disk, whether a table knows them or not."""
        return set(Path(self.settings.warehouse.removeprefix("file://")).rglob("*.parquet"))


@pytest.fixture
def company(landing):
    company = Company(landing)
    yield company
    assert company.unbalanced() == ()
    assert [path for path in landing.scratch.iterdir() if path.name.startswith("ingest-")] == []


def shop_csv(*numbers: Any, **changed: str) -> bytes:
    """Return an export of the shop with these orders."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ORDER_COLUMNS)
    writer.writeheader()
    for number in numbers:
        row = {"order_id": f"o{number}", "ordered_at": "1997-01-01T00:00:00Z", "amount": "11.77"}
        writer.writerow(row | changed)
    return out.getvalue().encode()


def message(number: Any, **more: Any) -> bytes:
    """Return a tracked message."""
    timestamp = "2026-01-01T00:00:00Z"
    body = {"messageId": f"m{number}", "type": "page", "userId": "u", "timestamp": timestamp, **more}
    return json.dumps(body).encode() + b"\n"


def messages(*numbers: Any) -> bytes:
    return b"".join(message(number) for number in numbers)


def records(outcome: Any) -> dict[str, tuple[int, int, int, int]]:
    """Return (received, loaded, duplicates, quarantined) by file id."""
    return {r.file_id: (r.received, r.loaded, r.duplicates, r.quarantined) for r in outcome.records}


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
        company.put("erp/invoices/unknown.csv", shop_csv(5)): (None, "unknown_source"),
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
    _meet_before_commit(monkeypatch, 2)
    outcomes = in_threads(2, lambda number, _: company.ingest(*files[number : number + 3]))
    assert sorted(row["order_id"] for row in company.rows("raw.shop_orders")) == ["o0", "o1", "o2", "o3"]
    assert sum(len(outcome.records) for outcome in outcomes) == 4
    assert len(company.data_files()) == 2  # the loser's first attempt left nothing


def test_messages_in_concurrent_batches_load_once(company, monkeypatch):
    """Different files with the same messages: neither batch saw the other's when it looked."""
    first = company.put("web/events/a.json", messages(1, 2, 3))
    second = company.put("web/events/b.json", messages(2, 3, 4))
    _meet_before_commit(monkeypatch, 2)
    outcomes = in_threads(2, lambda number, _: company.ingest([first, second][number]))
    assert sorted(row["message_id"] for row in company.rows("raw.events")) == ["m1", "m2", "m3", "m4"]
    assert sum(record.duplicates for outcome in outcomes for record in outcome.records) == 2


def _meet_before_commit(monkeypatch, number):
    """Let the first commits of several threads wait for each other."""
    real, meeting, met = batch.append, threading.Barrier(number), threading.local()

    def append(*arguments, **named):
        if not getattr(met, "done", False):
            met.done = True
            meeting.wait(30)
        return real(*arguments, **named)

    monkeypatch.setattr(batch, "append", append)


def test_a_file_is_loaded_once_after_its_summary_expired(company):
    """The books have copied it to the ledger, which is asked where summaries no longer reach."""
    file = company.put("shop/orders/x.csv", shop_csv(1))
    company.ingest(file)
    company.ingest(company.put("shop/orders/y.csv", shop_csv(2)))
    catalog = open_catalog(company.settings)
    table = load(catalog, "raw.shop_orders")
    later = datetime.now(UTC) + timedelta(days=1)
    assert maintenance.expire(catalog, table, now=later, keep=1).snapshots == 0
    copy.run(company.settings, ())
    assert maintenance.expire(catalog, table, now=later, keep=1).snapshots == 1
    assert [record.key for _, _, record in ledger.in_summaries(table)] != [file.key]
    assert company.ingest(file).known == 1
    assert len(company.rows("raw.shop_orders")) == 2


# --- one message, one row


def test_a_message_is_one_row_however_often_it_is_sent(company):
    """Within a file, within a batch, and in a later batch; the first one by file and place stays."""
    body = message(1, name="first") + message(1, name="second") + messages(2)
    first, second = company.put("web/events/a.json", body), company.put("web/events/b.json", messages(2, 3))
    counts = records(company.ingest(first, second))
    assert (counts[first.file_id][2], counts[second.file_id][2]) in {(1, 1), (2, 0)}
    later = company.put("web/events/c.json.gz", gzip.compress(messages(1, 3, 4)))
    assert records(company.ingest(later)) == {later.file_id: (3, 1, 2, 0)}
    rows = {row["message_id"]: row["name"] for row in company.rows("raw.events")}
    assert rows == {"m1": "first", "m2": None, "m3": None, "m4": None}
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


def test_rows_of_other_sources_are_all_kept(company):
    """A CRM's export is a log of versions: equal rows are received rows."""
    file = company.put("shop/orders/x.csv", shop_csv(1, 1, 1))
    assert records(company.ingest(file)) == {file.file_id: (3, 3, 0, 0)}


# --- failures


def test_a_source_that_fails_does_not_stop_the_others(company, monkeypatch):
    """Its files come again, and load then."""
    order, event = (
        company.put("shop/orders/x.csv", shop_csv(1)),
        company.put("web/events/x.json", messages(1)),
    )

    def fail(*_):
        raise Transient("not now")

    with monkeypatch.context() as broken:
        broken.setattr(batch, "drop_duplicates", fail)
        outcome = ingest(company.settings, [event, order])
    assert outcome.failed == {event.file_id}
    assert len(company.rows("raw.shop_orders")) == 1
    assert records(company.ingest(event, order)) == {event.file_id: (1, 1, 0, 0)}


def test_an_object_that_cannot_be_fetched_stops_no_other(company):
    """The store refuses one object: it comes again, alone."""
    good = company.put("shop/orders/x.csv", shop_csv(1))
    refused = RawFile("no-such-bucket", good.key, "v", 1)
    outcome = ingest(company.settings, [good, refused])
    assert outcome.failed == {refused.file_id}
    assert records(outcome) == {good.file_id: (1, 1, 0, 0)}
    assert ingest(company.settings, [refused]).failed == {refused.file_id}


def test_a_file_that_is_gone_is_told_and_not_tried_for_ever(company):
    """It never comes back."""
    file = company.put("web/events/x.json", messages(1))
    aws.s3().delete_object(Bucket=file.bucket, Key=file.key, VersionId=file.version)
    assert records(company.ingest(file)) == {file.file_id: (1, 0, 0, 1)}
    assert company.ingest(file).known == 1
    assert [entry["code"] for entry in company.quarantined(file)] == ["object_gone"]


def test_an_unknown_source_is_refused_once(company):
    """However often it is delivered: one entry, one line in the books."""
    file = company.put("erp/unheard_of/x.csv", shop_csv(1))
    for _ in range(3):
        company.ingest(file)
    assert len(company.quarantined(file)) == 1
    noted = [
        record for record in ledger.tableless(company.settings.ops_bucket) if record.file_id == file.file_id
    ]
    assert [(record.received, record.quarantined) for record in noted] == [(1, 1)]
    copied = copy.run(company.settings, (copy.QUARANTINED,)).rows
    assert copied["ops.ingest_ledger"] >= 1
    assert copy.run(company.settings, (copy.QUARANTINED,)).rows["ops.ingest_ledger"] == 0


@pytest.mark.parametrize("crash", ["drop_duplicates", "append", "signals"])
def test_a_crash_at_any_moment_leaves_a_clean_rerun(company, monkeypatch, crash):
    """Before anything is written, between quarantine or data files and the commit, and right behind it."""
    file = company.put("web/events/x.json", messages(1, 2) + b"bad\n")

    def die(*_arguments, **_named):
        raise SystemExit(crash)

    with monkeypatch.context() as crashing:
        crashing.setattr(*((signals, "table_committed") if crash == "signals" else (batch, crash)), die)
        with pytest.raises(SystemExit):
            company.ingest(file)
    expected = {} if crash == "signals" else {file.file_id: (3, 2, 0, 1)}
    assert records(company.ingest(file)) == expected
    assert [(row["_row"], row["message_id"]) for row in company.rows("raw.events")] == [(1, "m1"), (2, "m2")]
    (entry,) = company.quarantined(file)
    assert (entry["row"], entry["code"], entry["original"]) == (3, "invalid_json", "bad")


def test_an_answer_that_is_lost_doubles_nothing(company, monkeypatch):
    """The catalog commits and the connection breaks: the file is loaded, and its data files stay."""
    company.ingest(company.put("shop/orders/a.csv", shop_csv(1)))
    file = company.put("shop/orders/b.csv", shop_csv(2))
    catalog = open_catalog(company.settings)
    real = catalog.commit_table

    def commit_and_break(*arguments):
        real(*arguments)
        raise ConnectionError("the answer is lost")

    with monkeypatch.context() as broken:
        broken.setattr(catalog, "commit_table", commit_and_break)
        assert records(company.ingest(file)) == {file.file_id: (1, 1, 0, 0)}
    assert company.ingest(file).known == 1
    assert [row["order_id"] for row in company.rows("raw.shop_orders")] in (["o1", "o2"], ["o2", "o1"])


def test_a_batch_that_loses_every_race_gives_up_for_now(company, monkeypatch):
    """Its files come again, and it leaves nothing behind."""
    file = company.put("shop/orders/x.csv", shop_csv(1))

    def lose(*_arguments, **_named):
        raise CommitConflict("another writer was first")

    with monkeypatch.context() as broken:
        broken.setattr(batch, "append", lose)
        assert ingest(company.settings, [file]).failed == {file.file_id}
    assert company.data_files() == set()


# --- batches and messages


def test_a_backlog_is_cut_into_commits(company, monkeypatch):
    """Bounded in files and in bytes, each announced once."""
    announced = []
    monkeypatch.setattr(signals, "table_committed", lambda table, _: announced.append(table))
    monkeypatch.setattr(batch, "_BATCH_FILES", 2)
    files = [company.put("shop/orders/x.csv", shop_csv(number)) for number in range(5)]
    assert len(company.ingest(*files).records) == 5
    assert announced == ["raw.shop_orders"] * 3
    monkeypatch.setattr(batch, "_BATCH_BYTES", 1)
    company.ingest(*(company.put("shop/orders/x.csv", shop_csv(number)) for number in (7, 8)))
    assert announced == ["raw.shop_orders"] * 5
    assert len(company.rows("raw.shop_orders")) == 7


def test_a_file_of_bad_rows_alone_is_done_with(company):
    """It is in the commit without a row, and not read again."""
    file = company.put("web/events/x.json", b"bad\nworse\n")
    assert records(company.ingest(file)) == {file.file_id: (2, 0, 0, 2)}
    assert company.ingest(file).known == 1
    assert company.rows("raw.events") == []


def test_queue_messages(company):
    """Only messages with a file that failed come again, or those that are about no file."""
    good, other = company.put("shop/orders/x.csv", shop_csv(1)), company.put("web/events/x.json", messages(1))
    refused = RawFile(good.bucket, good.key, "no-such-version", 1)
    foreign = RawFile("somebody-elses", "shop/orders/y.csv", "v", 1)
    folder = RawFile(good.bucket, "shop/orders/", "v", 0)
    bodies = {
        "good": {"files": [good.message(), foreign.message(), folder.message()]},
        "both": {"files": [good.message(), other.message()]},
        "odd": {"hello": "world"},
        "list": [1],
        "keyless": {"files": [{"bucket": good.bucket}]},
    }
    sent = [{"messageId": name, "body": json.dumps(body)} for name, body in bodies.items()]
    sent.append({"messageId": "torn", "body": "{"})
    assert sorted(ingest_records(company.settings, sent)) == ["keyless", "list", "odd", "torn"]
    assert len(company.rows("raw.shop_orders")) == len(company.rows("raw.events")) == 1
    assert (
        ingest_records(
            company.settings, [{"messageId": "gone", "body": json.dumps({"files": [refused.message()]})}]
        )
        == []
    )
