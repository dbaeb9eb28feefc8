"""With every event lost, the sweep announces what nobody knows, and only that."""

from __future__ import annotations

import json

import pytest

from lakehouse import aws
from lakehouse.landing.raw_files import RawFile
from lakehouse.stages import sweep
from lakehouse.stages.books import keep_books
from lakehouse.stages.ingest import ingest_records
from lakehouse.tables import catalog as catalogs
from tests.support.small_company import SmallCompany

EVENT = '{"type":"page","messageId":"m1","anonymousId":"a","timestamp":"2026-01-01T00:00:00Z"}\n'


def ingest(company: SmallCompany) -> list[str]:
    """Load what the ingest queue announces."""
    records = [
        {"messageId": str(n), "body": json.dumps(body)} for n, body in enumerate(company.hints("ingest"))
    ]
    return ingest_records(company.settings, records)


def test_sweep_announces_what_nobody_knows_and_only_that(company):
    """Each version of each object that no table and no ledger lists; what is loaded is left alone."""
    company.load("web/events", "known.ndjson", EVENT)
    company.load("nobody/knows", "known.csv", "x")
    company.land(
        "web/events", "known.ndjson", EVENT.replace("m1", "m2")
    )  # another version under the same key
    company.land("web/events", "客户 导出 (1)+a&b.ndjson", EVENT.replace("m1", "m3"))
    company.land("web/events", "folder/", "")
    assert sweep.sweep(company.settings) == 2
    assert ingest(company) == []
    assert company.ask("select message_id from raw.events order by 1") == [("m1",), ("m2",), ("m3",)]
    assert sweep.sweep(company.settings) == 0
    assert company.hints("ingest") == []


def test_what_is_announced_twice_is_loaded_once(company):
    """Sweep cannot know which messages still wait."""
    company.land("web/events", "x.ndjson", EVENT)
    assert [sweep.sweep(company.settings), sweep.sweep(company.settings)] == [1, 1]
    assert ingest(company) == []
    assert company.ask("select count(*) from raw.events") == [(1,)]


def test_sweep_compares_with_all_books_and_some_files_at_a_time(company, monkeypatch):
    """What the ledger lists, what only a summary names and what no table takes; progress hears of each page."""
    monkeypatch.setattr(sweep.SweepPolicy, "ids_per_query", 4)
    for number in range(5):
        company.load("web/events", f"booked {number}", EVENT.replace("m1", f"b{number}"))
    keep_books(company.settings)
    catalog = catalogs.open_catalog(company.settings)
    table = catalog.load_table("raw.events")
    old = [snapshot.snapshot_id for snapshot in table.metadata.snapshots[:-1]]
    table.maintenance.expire_snapshots().by_ids(old).commit()
    company.load("shop/orders", "in a summary", "order_id\n")
    company.load("nobody/knows", "noted", "x")
    fresh = [company.land("web/events", f"fresh {number}", EVENT) for number in range(7)]
    heard = []
    real = sweep.listing_pages
    monkeypatch.setattr(
        sweep, "listing_pages", lambda bucket: (page for one in real(bucket) for page in _halves(one))
    )
    assert sweep.sweep(company.settings, lambda step, done, _total=0: heard.append((step, done))) == 7
    assert heard == [
        ("7 files looked at on 1 pages, 0 announced", 7),
        ("14 files looked at on 2 pages, 0 announced", 14),
    ]
    announced = [file["key"] for body in company.hints("ingest") for file in body["files"]]
    assert sorted(announced) == sorted(file.key for file in fresh)


def _halves(files):
    yield files[: len(files) // 2]
    yield files[len(files) // 2 :]


def test_a_message_holds_what_a_function_can_load_in_time(company):
    """Of large files few: it gets a hundred messages at once, and has minutes."""
    files = [
        RawFile("t-landing", f"web/events/{n}", f"v{n}", size)
        for n, size in enumerate([30 << 20] * 5 + [1 << 40])
    ]
    assert sweep.announce(company.settings, files) == 6
    assert sorted(len(body["files"]) for body in company.hints("ingest")) == [1, 1, 2, 2]


@pytest.mark.parametrize(("name", "number"), [("short", 1_203), ("客" * 340, 200)])
def test_messages_stay_below_what_the_queue_takes(company, name, number):
    """Many files a message, and never so many that it is refused: a long Chinese key is six bytes a character."""
    files = [RawFile("t-landing", f"web/events/{name}{n}", f"v{n}", 10) for n in range(number)]
    bodies: list[str] = []
    taken = aws.sqs().send_message_batch

    def send(**request):
        bodies.extend(entry["MessageBody"] for entry in request["Entries"])
        return taken(**request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.sqs(), "send_message_batch", send)
        assert sweep.announce(company.settings, files) == number
    assert max(len(body.encode()) for body in bodies) < 256 * 1024
    assert len(bodies) <= 5
    announced = [file["version_id"] for body in bodies for file in json.loads(body)["files"]]
    assert announced == [f"v{n}" for n in range(number)]
