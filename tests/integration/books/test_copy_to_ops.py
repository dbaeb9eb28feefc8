"""The books copy what commits and objects say: everything, once, and the same again from nothing."""

from __future__ import annotations

import json
from threading import Barrier

import pytest

from lakehouse import aws, objects
from lakehouse.books import copy_to_ops, load_lines
from lakehouse.errors import Terminal
from lakehouse.stages.books import keep_books, rebuild_books
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from tests.support.lakes import in_threads
from tests.support.replays import expire_all
from tests.support.small_company import SmallCompany

LEDGER, QUARANTINE, DELIVERIES, AUDIT = (
    "ops.ingest_ledger",
    "ops.quarantine",
    "ops.deliveries",
    "ops.audit_log",
)


@pytest.fixture
def busy(company) -> SmallCompany:
    """A company where something of every kind has happened."""
    company.orders("1.csv", "O1,C1,2026-01-05,10.00", "O2,C2,not a day,5.00", "O3,C3,2026-01-07,free")
    company.orders("2.csv", "O4,C1,2026-01-08,1.00")
    company.load("nobody/knows", "x.csv", "a,b\n1,2\n")
    say(company, "outbound/s/00000001/left_out.json", {"consent": ["ann", "bob"], "no_address": ["eve"]})
    say(company, "outbound/s/00000001/abcd1234-0001/rows.json", {"sync": "s"})
    say(
        company,
        "outbound/s/00000001/abcd1234-0001/outcome.json",
        outcome("00000001", "abcd1234-0001", "joe", "sam"),
    )
    say(company, "outbound/s/00000002/left_out.json", {})
    line = {
        "action": "merge",
        "subject": "c2",
        "at": "2026-01-01T00:00:00+00:00",
        "detail": {"customer_id": "c1"},
    }
    say(company, "audit/identities-0.json", line, {**line, "subject": "c3"})
    return company


def say(company: SmallCompany, key: str, *lines: dict) -> None:
    objects.put(company.settings.ops_bucket, key, "\n".join(json.dumps(line) for line in lines).encode())


def outcome(run: str, chunk: str, *customers: str) -> dict:
    rows = [
        {"row": n, "customer_id": who, "action": "upsert", "status": "sent", "code": "", "crm_id": f"h{n}",
         "consent_id": "k", "sent_at": ""}
        for n, who in enumerate(customers)
    ]  # fmt: skip
    return {
        "sync": "s",
        "run": run,
        "chunk": chunk,
        "attempt": 1,
        "finished_at": "2026-01-02T00:00:00+00:00",
        "rows": rows,
    }


def books(company: SmallCompany) -> dict[str, list[str]]:
    """Everything that the books say, but for when it was copied."""
    return {
        name: sorted(map(repr, company.ask(f"select * from {name}")))
        for name in (LEDGER, QUARANTINE, DELIVERIES, AUDIT)
    }


def test_everything_is_copied_once(busy):
    """A file is a row, a bad row is a row, a customer in a chunk is a row; a second look finds nothing new."""
    assert keep_books(busy.settings) == {LEDGER: 3, QUARANTINE: 3, AUDIT: 2, DELIVERIES: 5}
    before = books(busy), busy.snapshots()
    assert keep_books(busy.settings) == {LEDGER: 0, QUARANTINE: 0, AUDIT: 0, DELIVERIES: 0}
    assert (books(busy), busy.snapshots()) == before


def test_what_the_books_say(busy):
    """Counts of each file, and why a row is not in its table, with the row itself."""
    keep_books(busy.settings)
    query = f"select table_name, received, loaded, duplicates, quarantined from {LEDGER} order by key"
    assert busy.ask(query) == [
        (None, 1, 0, 0, 1),
        ("raw.shop_orders", 3, 1, 0, 2),
        ("raw.shop_orders", 1, 1, 0, 0),
    ]
    query = f'select key, "row", code, original is not null from {QUARANTINE} order by key, "row"'
    assert busy.ask(query) == [
        ("nobody/knows/x.csv", None, "unknown_source", False),
        ("shop/orders/1.csv", 2, "bad_timestamp", True),
        ("shop/orders/1.csv", 3, "bad_number", True),
    ]
    query = f"select chunk, customer_id, outcome, reason, consent_id, crm_id from {DELIVERIES} order by all"
    assert busy.ask(query) == [
        ("abcd1234-0001", "joe", "sent", None, "k", "h0"),
        ("abcd1234-0001", "sam", "sent", None, "k", "h1"),
        ("plan", "ann", "withheld", "consent", None, None),
        ("plan", "bob", "withheld", "consent", None, None),
        ("plan", "eve", "withheld", "no_address", None, None),
    ]
    query = f"select subject, action, detail from {AUDIT} order by subject"
    assert busy.ask(query) == [
        ("c2", "merge", '{"customer_id":"c1"}'),
        ("c3", "merge", '{"customer_id":"c1"}'),
    ]


def test_what_says_nothing_is_not_read_again_and_again(busy, monkeypatch):
    """A run that left nobody out has no rows to show that it was copied; its listing shows it."""
    nobody = {"consent": [], "no_address": [], "same_address": []}
    say(busy, "outbound/s/00000003/left_out.json", nobody)
    keep_books(busy.settings)
    read = []
    monkeypatch.setattr(load_lines, "read_lines", lambda _, objects: iter(read.extend(objects) or ()))
    keep_books(busy.settings)
    assert read == []


def test_later_happenings_come_on_top(busy):
    """Only what is new is copied."""
    keep_books(busy.settings)
    busy.orders("3.csv", "O9,C1,2026-01-09,2.00")
    say(busy, "outbound/s/00000002/beef0000-0001/outcome.json", outcome("00000002", "beef0000-0001", "joe"))
    assert keep_books(busy.settings) == {LEDGER: 1, QUARANTINE: 0, AUDIT: 0, DELIVERIES: 1}


@pytest.mark.parametrize("text", [b'{"sync": "s", "run": "0000', b"\xff\xfe"])
def test_a_damaged_object_costs_only_itself(busy, text):
    """It is copied when it is whole again; to write the books anew would lose what they say of it."""
    keep_books(busy.settings)
    key = "outbound/s/00000002/beef0000-0001/outcome.json"
    aws.s3().put_object(Bucket=busy.settings.ops_bucket, Key=key, Body=text)
    busy.orders("3.csv", "O9,C1,2026-01-09,2.00")
    assert keep_books(busy.settings) == {LEDGER: 1, QUARANTINE: 0, AUDIT: 0, DELIVERIES: 0}
    with pytest.raises(Terminal, match=f"{DELIVERIES} stays as it is; damaged: {key}: restore"):
        rebuild_books(busy.settings)
    say(busy, key, outcome("00000002", "beef0000-0001", "joe"))
    assert keep_books(busy.settings)[DELIVERIES] == 1


def test_two_writers_at_once_copy_once(busy):
    """The queue lets one run at a time; should there be two, the slower finds nothing left to copy."""

    def write(number: int, barrier: Barrier) -> dict[str, int]:
        barrier.wait(30)
        return keep_books(busy.settings)

    gained = in_threads(3, write)
    assert {name: sum(each[name] for each in gained) for name in gained[0]} == {
        LEDGER: 3, QUARANTINE: 3, AUDIT: 2, DELIVERIES: 5,
    }  # fmt: skip
    for name, rows in books(busy).items():
        assert len(rows) == len(set(rows)), name
    stray = {path for path in busy.data_files() - busy.live_files() if "/ops/" in path}
    assert stray == set()


def test_a_second_writer_between_two_commits_of_one_run_is_noticed(busy, monkeypatch):
    """Many objects are several commits: what another copies in between is not copied again."""
    for number in range(4):
        say(
            busy,
            f"outbound/s/{number:08d}/aaaa0000-0001/outcome.json",
            outcome(f"{number:08d}", "aaaa0000-0001", "joe"),
        )
    monkeypatch.setattr(load_lines.BooksCommitPolicy, "max_objects", 2)
    append, calls = copy_to_ops._append, []

    def meanwhile(con, table, query):
        copied = append(con, table, query)
        calls.append(table.name()[-1])
        if calls.count("deliveries") == 1:
            keep_books(busy.settings)
        return copied

    monkeypatch.setattr(copy_to_ops, "_append", meanwhile)
    keep_books(busy.settings)
    rows = busy.ask(f"select run, chunk, customer_id from {DELIVERIES}")
    assert len(rows) == len(set(rows))


def test_the_books_can_be_written_again_from_nothing(busy):
    """Lost tables are no lost knowledge, as long as summaries and objects live."""
    keep_books(busy.settings)
    before = books(busy)
    catalog = catalogs.open_catalog(busy.settings)
    for name in before:
        catalog.drop_table(name)
    keep_books(busy.settings)
    assert books(busy) == before


def test_what_expired_summaries_said_stands_in_the_ledger(busy):
    """A raw file whose commit is long expired is still known, and not loaded again."""
    keep_books(busy.settings)
    before = books(busy)
    assert expire_all(busy.settings, "raw.shop_orders") == 1
    listed = aws.s3().list_object_versions(Bucket=busy.settings.landing_bucket, Prefix="shop/orders/1.csv")[
        "Versions"
    ]
    again = copy_of(busy, listed[0])
    assert (again.known, again.records) == (1, [])
    assert keep_books(busy.settings)[LEDGER] == 0
    assert books(busy) == before


def copy_of(company: SmallCompany, version: dict):
    from lakehouse.ingest.batch import ingest
    from lakehouse.landing.raw_files import from_object

    return ingest(company.settings, [from_object(company.settings.landing_bucket, version)])


def test_a_summary_that_is_not_in_the_ledger_yet_is_kept(busy):
    """Expiry would lose the only word on that file."""
    assert expire_all(busy.settings, "raw.shop_orders") == 0
    raw = catalogs.open_catalog(busy.settings).load_table("raw.shop_orders")
    assert len(commit.file_records(raw.metadata.snapshots[0])) == 1
