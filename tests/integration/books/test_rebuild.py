"""The books written anew: what can be read again is, what cannot is kept, and whoever works meanwhile loses nothing."""

from __future__ import annotations

import uuid
from threading import Barrier

import pytest

from lakehouse import aws, objects
from lakehouse.books import load_lines, rebuild
from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import listing
from lakehouse.retrying import RetryPolicy
from lakehouse.stages import analyst_sql
from lakehouse.stages import books as stage
from lakehouse.stages.books import keep_books, rebuild_books
from lakehouse.tables import appending, data_files, ledger, views
from lakehouse.tables import catalog as catalogs
from tests.support.lakes import in_threads
from tests.support.replays import a_shop, expire_all

LEDGER, QUARANTINE = "ops.ingest_ledger", "ops.quarantine"
BOOKS = (LEDGER, QUARANTINE, "ops.deliveries", "ops.audit_log")


@pytest.fixture
def shop(company, monkeypatch, tmp_path):
    """Files of several generations, one without a source, and something to audit; all copied."""
    with a_shop(company, monkeypatch, tmp_path / "definitions") as made:
        made.files = [
            made.land("1.csv", "O1 USD", "O2 EUR", "O3 CHF"),
            made.land("2.csv", "O9 USD", source="erp"),
        ]
        assert not ingest(company.settings, made.files).failed
        made.takes("USD", "EUR")
        made.replay()
        line = b'{"action":"merge","subject":"c2","at":"2026-01-01T00:00:00+00:00","detail":{}}\n'
        objects.put(company.settings.ops_bucket, "audit/identities-0.json", line)
        keep_books(company.settings)
        yield made


def books(shop) -> dict[str, list[str]]:
    return {name: sorted(map(repr, shop.company.ask(f"select * from {name}"))) for name in BOOKS}


def expire(shop, name: str = "raw.shop_orders") -> int:
    """Expire all that may go of a table."""
    expire_all(shop.company.settings, name)
    return len(catalogs.open_catalog(shop.company.settings).load_table(name).metadata.snapshots)


def tamper(shop, name: str, query: str) -> None:
    """Write a table of the books as nobody should."""
    table = catalogs.open_catalog(shop.company.settings).load_table(name)
    con = analyst_sql.connect(shop.company.settings)
    try:
        written = data_files.write(con, table, query, f"tampered-{uuid.uuid4()}")
        base = table.current_snapshot().snapshot_id
        appending.replace_written(con, table, written, computed_from={}, base=base)
    finally:
        con.close()


def test_right_books_are_written_as_they_were(shop):
    """And the sums of `status` stay."""
    before = books(shop), shop.counts()
    found = rebuild_books(shop.company.settings)
    assert (books(shop), shop.counts()) == before
    assert found[LEDGER] == {"before": 3, "after": 3}
    assert found[QUARANTINE] == {"before": 4, "after": 4}


@pytest.mark.parametrize("name", [LEDGER, QUARANTINE, "ops.audit_log"])
def test_wrong_books_are_put_right(shop, name):
    """Rows that are missing come again, rows that are doubled are there once."""
    before = books(shop)
    for damage in ("{0} LIMIT 0", "{0} UNION ALL SELECT * FROM {0} LIMIT 1", "{0} LIMIT 1"):
        tamper(shop, name, f"SELECT * FROM {damage.format(name)}")
        rebuild_books(shop.company.settings)
        assert books(shop) == before


def test_lost_tables_are_made_again(shop):
    """As long as summaries and objects live."""
    before = books(shop)
    catalog = catalogs.open_catalog(shop.company.settings)
    for name in BOOKS:
        catalog.drop_table(name)
    rebuild_books(shop.company.settings)
    assert books(shop) == before


def test_what_expired_summaries_said_is_kept(shop):
    """The ledger alone knows these files by now: without it they would load again."""
    shop.company.orders("3.csv", "O8,C1,2026-01-08,1.00")
    keep_books(shop.company.settings)
    assert expire(shop) == 1
    before = books(shop), shop.counts()
    rebuild_books(shop.company.settings)
    assert (books(shop), shop.counts()) == before
    landed = [file for file in listing(shop.company.settings.landing_bucket) if file.source_key[0] == "shop"]
    outcome = ingest(shop.company.settings, landed)
    assert (outcome.known, outcome.records) == (2, [])


def test_rows_whose_object_is_gone_are_kept(shop):
    """Quarantine, notes, audit: whoever tidied up the bucket took no knowledge with it."""
    before = books(shop)
    bucket = shop.company.settings.ops_bucket
    for key in list(objects.list_keys(bucket, "")):
        if key.startswith(("quarantine/", "audit/", "ledger/")):
            aws.s3().delete_object(Bucket=bucket, Key=key)
    rebuild_books(shop.company.settings)
    assert books(shop) == before


def test_an_expiry_in_the_middle_loses_nothing(shop, monkeypatch):
    """The ledger is read before the summaries: what goes in between stands in it."""
    shop.company.orders("3.csv", "O8,C1,2026-01-08,1.00")
    keep_books(shop.company.settings)
    before = books(shop)
    look = rebuild.ledger_rows.from_summaries

    def expire_and_look(catalog):
        assert expire(shop) == 1
        return look(catalog)

    monkeypatch.setattr(rebuild.ledger_rows, "from_summaries", expire_and_look)
    rebuild_books(shop.company.settings)
    assert books(shop) == before


def test_what_others_copy_and_expire_in_the_middle_is_not_lost(shop, monkeypatch):
    """The rebuild read the ledger before that copy: it is refused, and looks again."""
    shop.company.orders("3.csv", "O8,C1,2026-01-08,1.00")
    shop.company.orders("4.csv", "O7,C1,2026-01-08,1.00")
    look, others = rebuild.ledger_rows.from_summaries, [1]

    def interfere_and_look(catalog):
        if others:
            others.clear()
            with monkeypatch.context() as real:
                real.setattr(rebuild.ledger_rows, "from_summaries", look)
                keep_books(shop.company.settings)
            assert expire(shop) == 1
        return look(catalog)

    monkeypatch.setattr(rebuild.ledger_rows, "from_summaries", interfere_and_look)
    rebuild_books(shop.company.settings)
    catalog = catalogs.open_catalog(shop.company.settings)
    ids = {
        file.file_id for file in listing(shop.company.settings.landing_bucket) if file.source_key[0] == "shop"
    }
    assert ledger.in_ledger(catalog, ids) == ids
    assert len(ids) == 3


def test_books_ingest_and_rebuild_at_once(shop):
    """Whoever is slower looks again; at the end everything is there once."""

    def work(number: int, barrier: Barrier) -> None:
        barrier.wait(30)
        if number == 0:
            rebuild_books(shop.company.settings)
        elif number == 1:
            keep_books(shop.company.settings)
        else:
            shop.company.orders("late.csv", "O8,C1,2026-01-08,1.00", "O7,C1,never,1.00")

    in_threads(3, work)
    keep_books(shop.company.settings)
    assert shop.company.ask(f"select count(*), sum(loaded) from {LEDGER}") == [(4, 3)]
    assert shop.company.ask(f"select count(*) from {QUARANTINE}") == [(5,)]
    assert shop.unbalanced() == ()


def test_a_rebuild_that_loses_every_race_leaves_no_files(shop, monkeypatch):
    """And says that it was in vain."""
    monkeypatch.setattr(stage, "BOOKS_RETRIES", RetryPolicy(attempts=1))
    before = shop.company.data_files()

    def lose(*_arguments, **_named):
        raise CommitConflict("another writer was first")

    monkeypatch.setattr(appending.replace_table, "replace_all", lose)
    with pytest.raises(CommitConflict):
        rebuild_books(shop.company.settings)
    assert shop.company.data_files() == before


def test_a_rebuild_that_breaks_off_leaves_no_files(shop, monkeypatch):
    """The second object cannot be read: nothing has changed, and what the first one made is deleted."""
    before = shop.company.data_files(), books(shop)
    settings = shop.company.settings
    con = duck.connect(settings)

    read, calls = load_lines.read_lines, []

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise ConnectionError("the store is away")
        return read(*arguments)

    monkeypatch.setattr(load_lines.BooksCommitPolicy, "max_objects", 1)
    monkeypatch.setattr(load_lines, "read_lines", fail)
    try:
        with pytest.raises(ConnectionError):
            rebuild.rebuild_objects(con, settings, catalogs.open_catalog(settings), [stage.ALL[0]])
    finally:
        con.close()
    assert (shop.company.data_files(), books(shop)) == before


def test_large_objects_come_in_pieces(shop, monkeypatch):
    """A bad export of many rows is never in memory as a whole, and copied like a small one."""
    lines_at_once, insert = [], load_lines._insert
    monkeypatch.setattr(
        load_lines, "_insert", lambda con, batch: lines_at_once.append(len(batch)) or insert(con, batch)
    )
    monkeypatch.setattr(load_lines.ObjectReadPolicy, "insert_bytes", 20_000)
    monkeypatch.setattr(load_lines.ObjectReadPolicy, "small_object_bytes", 10_000)
    file = shop.land("big.csv", *(f"B{number} NOK" for number in range(300)))
    ingest(shop.company.settings, [file])
    keep_books(shop.company.settings)
    assert shop.company.ask(f"select count(*) from {QUARANTINE} where file_id = '{file.file_id}'") == [(300,)]
    assert max(lines_at_once) < 100
    before = books(shop)
    monkeypatch.setattr(load_lines.BooksCommitPolicy, "max_objects", 1)
    rebuild_books(shop.company.settings)
    assert books(shop) == before


def test_what_no_commit_counted_is_not_copied(shop):
    """An attempt wrote its bad rows and died: quarantine holds what a commit says, not what was tried."""
    objects.put(shop.company.settings.ops_bucket, "quarantine/dead.json", b'{"file_id":"dead","row":1}\n')
    before = books(shop)
    keep_books(shop.company.settings)
    rebuild_books(shop.company.settings)
    assert books(shop) == before


def test_books_from_before_replays_are_read(shop):
    """Old rows say nothing of generations; the table grows, and they are first loads."""
    settings = shop.company.settings
    for key in list(objects.list_keys(settings.ops_bucket, "quarantine/")):
        file_id, replay, _ = key.split("/")
        source = {"Bucket": settings.ops_bucket, "Key": f"quarantine/{key}"}
        old = f"quarantine/{file_id}.json" if replay == "0" else f"quarantine/{file_id}/{replay}.json"
        aws.s3().copy_object(Bucket=settings.ops_bucket, Key=old, CopySource=source)
    tamper(shop, LEDGER, f"SELECT * REPLACE (nullif(replay, 0) AS replay, NULL AS set_aside) FROM {LEDGER}")
    tamper(
        shop, QUARANTINE,
        f"SELECT * REPLACE (nullif(replay, 0) AS replay, NULL AS object) FROM {QUARANTINE}",
    )  # fmt: skip
    counts = shop.counts()
    assert keep_books(settings) == dict.fromkeys(BOOKS, 0)
    con = duck.connect(settings)
    try:
        views.attach(con, catalogs.open_catalog(settings))
    finally:
        con.close()
    shop.takes()
    assert shop.replay().loaded == 1
    assert shop.counts()[1] == counts[1] + 1
