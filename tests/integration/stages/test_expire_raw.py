"""Raw files go once they are loaded and their days are over; nothing else goes, and nothing is lost with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from functions.maintain.handler import handler as maintain
from lakehouse import aws
from lakehouse.books import copy_to_ops
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import RawFile, listing
from lakehouse.sources import definition
from lakehouse.stages import expire_raw as module
from lakehouse.stages.expire_raw import expire_raw_files
from lakehouse.stages.status import status
from lakehouse.stages.sweep import sweep
from tests.support.replays import a_shop, expire_all

NONE = {"files": 0, "bytes": 0, "waiting": 0, "unversioned": 0, "failed": 0}
LATER = datetime.now(UTC) + timedelta(days=31)


@pytest.fixture
def shop(company, monkeypatch, tmp_path):
    """Return a shop that takes USD only and keeps its raw files for thirty days."""
    with a_shop(company, monkeypatch, tmp_path / "definitions") as shop:
        keep_for(shop, 30)
        yield shop


def keep_for(shop, days):
    """Say for how long the shop keeps raw files; None, and for ever."""
    path = shop.folder / "shop_orders.yaml"
    text = yaml.safe_load(path.read_text("utf-8"))
    text.pop("raw_days", None)
    path.write_text(yaml.safe_dump(text | ({"raw_days": days} if days else {})), "utf-8")
    definition.load.cache_clear()


def load(shop, *files):
    assert not ingest(shop.company.settings, files).failed


def there(shop) -> set[str]:
    return {file.file_id for file in listing(shop.company.settings.landing_bucket)}


def expire(shop, **how):
    return expire_raw_files(shop.company.settings, **{"now": LATER, **how})["shop/orders"]


def test_a_loaded_file_goes_when_its_days_are_over(shop):
    """Not before; again, nothing is found; rows and books stay, and nobody announces it anew."""
    file = shop.land("a.csv", "1 USD", "2 USD")
    load(shop, file)
    assert expire(shop, now=datetime.now(UTC) + timedelta(days=29)) == NONE
    assert there(shop) == {file.file_id}
    assert expire(shop) == NONE | {"files": 1, "bytes": file.size}
    assert there(shop) == set()
    assert expire(shop) == NONE
    assert shop.orders() == ["1", "2"]
    found = status(shop.company.settings)["ingest"]
    assert (found["files"], found["loaded"], found["in_flight"], found["balanced"]) == (1, 2, 0, True)
    assert sweep(shop.company.settings) == 0


def test_a_dry_run_says_what_would_go(shop):
    """And all of it stays."""
    file = shop.land("a.csv", "1 USD")
    load(shop, file)
    assert expire(shop, dry_run=True) == NONE | {"files": 1, "bytes": file.size}
    assert there(shop) == {file.file_id}


def test_what_nobody_has_loaded_stays(shop):
    """One that ingest has not met, one that is bad as a whole, one of which every row is."""
    never = shop.land("never.csv", "1 USD")
    bad = shop.company.land("shop/orders", "bad.csv", "order_id\n1\n")
    rows = shop.land("rows.csv", "2 EUR", "3 EUR")
    load(shop, bad, rows)
    assert expire(shop) == NONE | {"waiting": 3}
    assert there(shop) == {never.file_id, bad.file_id, rows.file_id}
    load(shop, never)
    assert expire(shop)["files"] == 1
    assert there(shop) == {bad.file_id, rows.file_id}


def test_a_file_with_some_bad_rows_goes_and_they_are_reported_as_gone(shop):
    """What is in quarantine can be replayed as long as the raw file lives."""
    file = shop.land("a.csv", "1 USD", "2 EUR")
    load(shop, file)
    assert expire(shop)["files"] == 1
    shop.takes()
    assert shop.replay().gone == 1
    assert shop.orders() == ["1"]
    assert shop.counts() == (2, 1, 0, 1)


def test_a_file_that_was_replayed_goes_too(shop):
    """Once it is in, by whichever generation."""
    file = shop.land("a.csv", "1 EUR")
    load(shop, file)
    assert expire(shop)["waiting"] == 1
    shop.takes()
    keep_for(shop, 30)
    assert shop.replay().loaded == 1
    assert expire(shop) == NONE | {"files": 1, "bytes": file.size}


def test_files_that_only_the_ledger_remembers(shop):
    """Their commits' snapshots have expired; the ledger knows of what is loaded, and of what is not."""
    bad = shop.land("bad.csv", "7 EUR")
    for file in (bad, *(shop.land(f"{n}.csv", f"{n} USD") for n in range(1, 4))):
        load(shop, file)
    copy_to_ops.run(shop.company.settings, ())
    assert expire_all(shop.company.settings, "raw.shop_orders") == 3
    found = expire(shop)
    assert (found["files"], found["waiting"]) == (3, 1)
    assert there(shop) == {bad.file_id}
    assert shop.orders() == ["1", "2", "3"]


def test_every_version_is_a_file_of_its_own(shop):
    """An older one under the same key goes, one that has not been loaded stays, under that key or any."""
    first = shop.land("a.csv", "1 USD")
    second = shop.land("a.csv", "2 USD")
    load(shop, first)
    assert expire(shop) == NONE | {"files": 1, "bytes": first.size, "waiting": 1}
    assert there(shop) == {second.file_id}


def test_an_empty_export_goes(shop):
    """It has no row, so none that waits."""
    load(shop, shop.land("a.csv"))
    assert expire(shop)["files"] == 1


def test_other_sources_keep_theirs(shop):
    """As one that says nothing does; a neighbour whose name begins alike is another, too."""
    shop.takes("USD", source="shop2")
    keep_for(shop, 30)
    other = shop.land("a.csv", "1 USD", source="shop2")
    load(shop, other)
    assert expire(shop) == NONE
    keep_for(shop, None)
    mine = shop.land("a.csv", "1 USD")
    load(shop, mine)
    assert expire_raw_files(shop.company.settings, now=LATER) == {}
    assert there(shop) == {other.file_id, mine.file_id}


def test_without_versions_nothing_goes(shop, monkeypatch):
    """A delete could hit what has come under the key since it was listed."""
    pages = [[(RawFile("b", "shop/orders/a.csv", "etag", 7, is_etag=True), datetime(2020, 1, 1, tzinfo=UTC))]]
    monkeypatch.setattr(module, "dated_pages", lambda *_: iter(pages))
    monkeypatch.setattr(module, "_loaded_in_commits", lambda *_: {pages[0][0][0].file_id})
    assert expire(shop) == NONE | {"unversioned": 1}


def test_a_delete_that_fails_is_reported_and_tried_again(shop):
    """The others go."""
    files = [shop.land(f"{n}.csv", f"{n} USD") for n in range(1, 4)]
    load(shop, *files)
    real = aws.s3().delete_object

    def failing(**request):
        if request["Key"].endswith("2.csv"):
            return real(**request | {"Bucket": "no-such-bucket"})
        return real(**request)

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(aws.s3(), "delete_object", failing)
        assert expire(shop)["failed"] == 1
    assert there(shop) == {files[1].file_id}
    assert expire(shop)["files"] == 1


def test_the_function_does_it_every_day(shop, monkeypatch):
    """Beside the tables, and says so."""
    file = shop.land("a.csv", "1 USD")
    load(shop, file)
    monkeypatch.setattr(module, "timedelta", lambda **_: timedelta(0))
    done = maintain({"schedule": "maintain"}, None)
    assert done["raw_files"] == {"shop/orders": NONE | {"files": 1, "bytes": file.size}}
    assert "raw.shop_orders" in done["tables"]
