"""What was dealt with otherwise is marked so: audited, listed no more, and in the books all the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse.ingest.batch import ingest
from lakehouse.ingest.quarantine.open_rows import QuarantineFilter, group_rows
from lakehouse.sources import definition
from lakehouse.stages import analyst_sql
from lakehouse.stages.books import keep_books
from lakehouse.stages.dismiss import Reason, dismiss_quarantine
from lakehouse.stages.replay import open_bad_rows
from lakehouse.stages.status import status
from tests.support.packed_files import zipped
from tests.support.replays import a_shop
from tests.support.small_company import SHOP

NOW = datetime(2026, 1, 9, 8, tzinfo=UTC)
WHY = Reason("ada", "came again as 2.csv")


@pytest.fixture
def shop(company, monkeypatch, tmp_path):
    """An export of four orders, of which one is in EUR and two in CHF; EUR is good by now."""
    with a_shop(company, monkeypatch, tmp_path / "definitions") as made:
        made.files = [made.land("1.csv", "O1 USD", "O2 EUR", "O3 CHF", "O4 CHF")]
        assert not ingest(company.settings, made.files).failed
        yield made


def dismiss(shop, *file_ids, **how):
    criteria = QuarantineFilter(code=how.pop("code", None), file_ids=file_ids)
    return dismiss_quarantine(shop.company.settings, criteria, WHY, lambda: NOW, **how)


def listed(shop, **criteria):
    groups = group_rows(shop.company.settings, QuarantineFilter(**criteria))
    return [(group.code, group.rows) for group in groups]


def test_a_file_that_is_dealt_with_is_listed_no_more(shop):
    """By itself or by its code; `dismissed` shows it, and the books count it as before."""
    file_id = shop.files[0].file_id
    before = status(shop.company.settings)["ingest"]
    assert dismiss(shop, file_id[:12], dry_run=True).rows == 3
    assert listed(shop) == [("not_allowed", 3)]
    assert dismiss(shop, file_id).as_json() == {"files": 1, "rows": 3}
    assert listed(shop) == []
    assert listed(shop, dismissed=True) == [("not_allowed", 3)]
    assert dismiss(shop, file_id).rows == 0
    after = status(shop.company.settings)["ingest"]
    assert after == before | {"dismissed": 3}
    assert after["balanced"]
    assert all(bad["dismissed"] for bad in open_bad_rows(shop.company.settings, file_id)[1])


def test_who_when_and_why_stands_in_the_audit_log(shop):
    """Copied by the books, with which rows and no text of them."""
    dismiss(shop, shop.files[0].file_id, row=2)
    keep_books(shop.company.settings)
    keep_books(shop.company.settings)
    con = analyst_sql.connect(shop.company.settings)
    try:
        [row] = con.execute(
            "SELECT decided_at, action, subject, detail->>'$.by', detail->>'$.why', detail->'$.rows' "
            "FROM ops.audit_log WHERE action LIKE 'quarantine%'"
        ).fetchall()
    finally:
        con.close()
    assert row == (
        NOW,
        "quarantine_dismissed",
        shop.files[0].file_id,
        "ada",
        "came again as 2.csv",
        "[[2,2]]",
    )


def test_what_is_dealt_with_is_not_tried_again(shop):
    """Others of its file are, and it stays as it was; a file that is named is tried whole."""
    file_id = shop.files[0].file_id
    dismiss(shop, file_id, row=3)
    assert listed(shop) == [("not_allowed", 2)]
    shop.takes()
    tally = shop.replay()
    assert (tally.fixed, tally.still_bad) == (2, 1)
    assert shop.orders() == ["O1", "O2", "O4"]
    assert shop.counts() == (4, 3, 0, 1)
    [kept] = open_bad_rows(shop.company.settings, file_id)[1]
    assert (kept["row"], kept["code"], kept["dismissed"]) == (3, "not_allowed", True)
    assert "CHF" in kept["original"]
    assert (listed(shop), shop.replay().files) == ([], 0)
    assert shop.replay(QuarantineFilter(file_ids=(file_id,))).fixed == 1
    assert shop.orders() == ["O1", "O2", "O3", "O4"]
    assert status(shop.company.settings)["ingest"]["balanced"]


def test_a_file_that_is_bad_as_a_whole(shop):
    """It is one entry."""
    bad = shop.company.land("shop/orders", "bad.csv", "Nummer,Betrag\nO9,1\n")
    ingest(shop.company.settings, [bad])
    assert listed(shop, code="missing_column") == [("missing_column", 1)]
    [group] = group_rows(shop.company.settings, QuarantineFilter(code="missing_column"))
    assert group.key.endswith("bad.csv")
    assert "it has Nummer, Betrag" in group.reason
    dismiss(shop, code="missing_column")
    assert listed(shop, code="missing_column") == []
    assert shop.replay().to_try == 1


def test_a_part_that_is_read_later_brings_all_its_rows_once(shop):
    """A table in other words is told first, then replayed under a mapping that knows them; the books balance."""
    shop.takes("USD")
    line = "{},C1,2026-01-05,1,1.00,{},web\n"
    other = f"Bestellnr,{SHOP.split(',', 1)[1]}\n" + line.format("P1", "USD") + line.format("P2", "EUR")
    good = f"{SHOP}\n" + line.format("O7", "USD") + line.format("O8", "CHF")
    body = zipped({"a.csv": other.encode(), "b.csv": good.encode()})
    landed = shop.company.land("shop/orders", "both.zip", body)
    assert not ingest(shop.company.settings, [landed]).failed
    assert listed(shop, code="unread_part") == [("unread_part", 1)]
    path = shop.folder / "shop_orders.yaml"
    text = path.read_text("utf-8").replace("from: order_id,", "from: order_id, also: [Bestellnr],", 1)
    assert "Bestellnr" in text
    path.write_text(text, "utf-8")
    definition.load.cache_clear()
    tally = shop.replay(QuarantineFilter(file_ids=(landed.file_id,)))
    assert (tally.loaded, tally.still_bad) == (1, 2)
    assert shop.orders() == ["O1", "O7", "P1"]
    assert status(shop.company.settings)["ingest"]["balanced"]
    shop.takes()
    shop.replay()
    assert shop.orders() == ["O1", "O2", "O3", "O4", "O7", "O8", "P1"]
    assert status(shop.company.settings)["ingest"]["balanced"]
