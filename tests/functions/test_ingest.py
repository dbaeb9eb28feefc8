"""`ingest` behind its queue: S3's own messages in, rows out, and only what failed comes again."""

from __future__ import annotations

import gzip
import json

from functions.ingest.handler import handler
from lakehouse.ingest import batch
from lakehouse.landing.put import put
from lakehouse.landing.raw_files import listing
from lakehouse.models import runner
from lakehouse.stages.resolve import resolve

EVENT = '{"type":"page","messageId":"m%d","anonymousId":"a","timestamp":"2026-01-01T00:00:00Z"}\n'
ORDERS = "order_id,customer_id,ordered_at,quantity,amount,currency,store\nO1,C1,2026-01-05,1,10.00,USD,web\n"
NONE = {"batchItemFailures": []}


def status(company) -> tuple[int, ...]:
    query = "select count(*), sum(received), sum(loaded), sum(duplicates), sum(quarantined) from ops.ingest_ledger"
    return company.ask(query)[0]


def test_files_that_s3_announces_become_rows(company, announcing):
    """Plain or gzip; several messages are one batch, and each table one commit."""
    files = [
        company.land("shop/orders", "1.csv", ORDERS),
        company.land("web/events", "1.ndjson.gz", gzip.compress((EVENT % 1).encode())),
        company.land("web/events", "2.ndjson", EVENT % 2),
    ]
    assert handler(announcing("object_created", *files), None) == NONE
    assert company.ask("select count(*) from raw.events") == [(2,)]
    assert company.ask("select sum(amount) from raw.shop_orders") == [(10,)]
    assert company.snapshots() == {"raw.events": 1, "raw.shop_orders": 1}
    assert company.announced() == ["raw.events", "raw.shop_orders"]


def test_keys_of_every_kind(company, announcing):
    """Blanks, Chinese, plus and ampersand: EventBridge does not encode them, and they are taken as they are."""
    key = json.loads(announcing("unusual_key", company.land("x/y", "z", "z"))["Records"][0]["body"])
    assert key["detail"]["object"]["key"] == "x/y/z"
    file = company.land("web/events", "客户 导出 (1)+a&b%20c.ndjson", EVENT % 1)
    assert handler(announcing("unusual_key", file), None) == NONE
    assert company.ask("select count(*) from raw.events") == [(1,)]


def test_a_list_of_files_as_put_and_sweep_send_it(company, event):
    """By version, or by etag where the bucket keeps no versions."""
    files = [
        company.land("salesforce/contacts", f"{n}.csv", f"Id,CreatedDate\nS{n},2026-01-01\n") for n in (1, 2)
    ]
    assert handler(event("ingest", "files", {"files": [file.message() for file in files]}), None) == NONE
    assert company.ask("select id from raw.salesforce_contacts order by 1") == [("S1",), ("S2",)]


def test_what_was_put_last_is_what_counts(company, event, tmp_path):
    """Monday's bytes again on Wednesday: all three wait together, and the newest row is Wednesday's refusal."""
    path = tmp_path / "contacts.csv"
    header = "contact_id,name,email,marketing_consent,marketing_consent_at,created_at\n"
    no = header + "15,Tim,tim@example.org,no,,2026-01-01T00:00:00Z\n"
    yes = header + "15,Tim,tim@example.org,yes,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z\n"
    fresh = []
    for content in (no, yes, no, no):
        path.write_text(content)
        fresh.append(put(company.settings, "crm/contacts", path).fresh)
    assert fresh == [True, True, True, False]
    files = sorted(listing(company.settings.landing_bucket, "crm/contacts/"), key=lambda file: file.key)
    assert handler(event("ingest", "files", {"files": [file.message() for file in files]}), None) == NONE
    rows = company.ask("select marketing_consent from raw.crm_contacts order by _loaded_at")
    assert len(rows) == 3
    assert rows[-1] == ("no",)
    resolve(company.settings)
    assert runner.run(company.settings).wrong == []
    assert company.ask("select allowed from core.consent_answers") == [(False,)]


def test_a_file_whose_encoding_nobody_can_tell_waits(company, announcing, tmp_path):
    """It is one row in quarantine, which says what to write; nothing of it is loaded."""
    from lakehouse.stages.books import keep_books

    korean = "contact_id,name,email,created_at\n1,김철수,a@example.org,2026-01-01T00:00:00Z\n".encode(
        "euc-kr"
    )
    file = company.land("crm/contacts", "names.csv", korean)
    assert handler(announcing("object_created", file), None) == NONE
    keep_books(company.settings)
    [(code, reason)] = company.ask("select code, reason from ops.quarantine")
    assert (code, "cp949" in reason) == ("unsure_encoding", True)
    assert status(company) == (1, 1, 0, 0, 1)


def test_a_message_that_comes_again_changes_nothing(company, announcing):
    """SQS delivers at least once, and in any order."""
    payload = announcing(
        "object_created", *(company.land("web/events", f"{n}.ndjson", EVENT % n) for n in range(3))
    )
    assert handler(payload, None) == NONE
    payload["Records"].reverse()
    payload["Records"] += payload["Records"]
    assert handler(payload, None) == NONE
    assert company.ask("select count(*) from raw.events") == [(3,)]
    assert company.snapshots() == {"raw.events": 1}


def test_bad_files_cost_only_themselves(company, announcing):
    """Each is one quarantine object; the good rows beside them load, and no message comes again."""
    from lakehouse.stages.books import keep_books

    whole = gzip.compress((EVENT % 1).encode() * 200)
    files = [
        company.land("web/events", "good.ndjson", EVENT % 1 + "not JSON\n" + EVENT % 2),
        company.land("web/events", "broken.gz", whole[: len(whole) // 2]),
        company.land("web/events", "empty.ndjson", ""),
        company.land("shop/orders", "binary.csv", b"\x00\x01\x02" * 99),
        company.land("nobody/knows", "x.csv", "a\n1\n"),
    ]
    assert handler(announcing("object_created", *files), None) == NONE
    keep_books(company.settings)
    rows = company.ask("select split_part(key, '/', 3), \"row\", code from ops.quarantine order by all")
    assert rows == [
        ("binary.csv", None, "not_text"),
        ("broken.gz", None, "truncated_gzip"),
        ("empty.ndjson", None, "empty_file"),
        ("good.ndjson", 2, "invalid_json"),
        ("x.csv", None, "unknown_source"),
    ]
    assert status(company) == (5, 7, 2, 0, 5)


def test_only_messages_whose_files_failed_come_again(company, announcing, monkeypatch):
    """A table that cannot be reached does not hold up the others."""
    ensure = batch.catalogs.ensure

    def away(catalog, contract):
        if contract.name == "raw.events":
            raise OSError("the catalog is away")
        return ensure(catalog, contract)

    monkeypatch.setattr(batch.catalogs, "ensure", away)
    files = [company.land("web/events", "1.ndjson", EVENT % 1), company.land("shop/orders", "1.csv", ORDERS)]
    payload = announcing("object_created", *files)
    assert handler(payload, None) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    monkeypatch.setattr(batch.catalogs, "ensure", ensure)
    assert handler(payload, None) == NONE
    assert company.ask(
        "select (select count(*) from raw.events), (select count(*) from raw.shop_orders)"
    ) == [(1, 1)]
