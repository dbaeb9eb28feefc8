"""Ingest when things go wrong: sources that fail, objects that are gone, crashes, lost races, odd messages."""

from __future__ import annotations

import json

import pytest

from lakehouse import aws, signals
from lakehouse.books import copy_to_ops
from lakehouse.books.book_sources import QUARANTINED
from lakehouse.errors import CommitConflict, Transient
from lakehouse.ingest import batch
from lakehouse.ingest.batch import ingest
from lakehouse.ingest.loading.dedupe import Messages
from lakehouse.ingest.policy import BatchPolicy
from lakehouse.landing.raw_files import RawFile
from lakehouse.stages.ingest import ingest_records
from lakehouse.tables import ledger
from lakehouse.tables.catalog import open_catalog
from tests.support.raw_files import (
    a_company,
    messages,
    records,
    shop_csv,
)

pytestmark = pytest.mark.stack


@pytest.fixture
def company(landing):
    with a_company(landing) as company:
        yield company


def test_a_source_that_fails_does_not_stop_the_others(company, monkeypatch):
    """Its files come again, and load then."""
    order, event = (
        company.put("shop/orders/x.csv", shop_csv(1)),
        company.put("web/events/x.json", messages(1)),
    )

    def fail(*_):
        raise Transient("not now")

    with monkeypatch.context() as broken:
        broken.setattr(Messages, "drop_repeated", fail)
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
    copied = copy_to_ops.run(company.settings, (QUARANTINED,)).rows
    assert copied["ops.ingest_ledger"] >= 1
    assert copy_to_ops.run(company.settings, (QUARANTINED,)).rows["ops.ingest_ledger"] == 0


@pytest.mark.parametrize("crash", ["drop_repeated", "append", "table_committed"])
def test_a_crash_at_any_moment_leaves_a_clean_rerun(company, monkeypatch, crash):
    """Before anything is written, between quarantine or data files and the commit, and right behind it."""
    file = company.put("web/events/x.json", messages(1, 2) + b"bad\n")

    def die(*_arguments, **_named):
        raise SystemExit(crash)

    with monkeypatch.context() as crashing:
        where = {"drop_repeated": Messages, "append": batch, "table_committed": signals}[crash]
        crashing.setattr(where, crash, die)
        with pytest.raises(SystemExit):
            company.ingest(file)
    expected = {} if crash == "table_committed" else {file.file_id: (3, 2, 0, 1)}
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
    monkeypatch.setattr(signals, "table_committed", lambda _settings, table, _: announced.append(table))
    monkeypatch.setattr(BatchPolicy, "max_files", 2)
    files = [company.put("shop/orders/x.csv", shop_csv(number)) for number in range(5)]
    assert len(company.ingest(*files).records) == 5
    assert announced == ["raw.shop_orders"] * 3
    monkeypatch.setattr(BatchPolicy, "max_bytes", 1)
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
