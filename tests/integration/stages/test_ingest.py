"""What the ingest stage does with the messages of its queue: odd ones, and files that fail."""

from __future__ import annotations

import json

from lakehouse import aws
from lakehouse.stages.ingest import ingest_records

EVENT = '{"type":"page","messageId":"m1","anonymousId":"a","timestamp":"2026-01-01T00:00:00Z"}\n'


def test_messages_about_something_else_hold_nobody_up(company):
    """They stay in the queue, on their way to the dead letters; the files beside them load."""
    good = company.land("web/events", "x.ndjson", EVENT).message()
    other = {**good, "bucket": "another-bucket"}
    odd = [
        "no JSON",
        "[]",
        "null",
        "7",
        '"files"',
        "{}",
        '{"files": [7]}',
        '{"files": [{"bucket": "t-landing"}]}',
    ]
    odd.append(json.dumps({"files": [{**good, "size": "big"}]}))
    records = [{"messageId": f"odd {n}", "body": body} for n, body in enumerate(odd)]
    records += [{"messageId": f"good {n}", "body": json.dumps({"files": [good, other]})} for n in range(2)]
    assert ingest_records(company.settings, records) == [f"odd {n}" for n in range(len(odd))]
    assert company.ask("select count(*) from raw.events") == [(1,)]


def test_a_message_comes_again_when_one_of_its_files_failed(company, monkeypatch):
    """And not those whose files are in."""
    contacts = company.land("salesforce/contacts", "x.csv", "Id,CreatedDate\nS1,2026-01-01\n").message()
    event = company.land("web/events", "x.ndjson", EVENT).message()
    get = aws.s3().get_object

    def away(**request):
        if request["Key"].startswith("web/"):
            raise OSError("the store is away")
        return get(**request)

    monkeypatch.setattr(aws.s3(), "get_object", away)
    both = [[contacts], [contacts, event], [event]]
    records = [{"messageId": str(n), "body": json.dumps({"files": files})} for n, files in enumerate(both)]
    assert ingest_records(company.settings, records) == ["1", "2"]
    monkeypatch.setattr(aws.s3(), "get_object", get)
    assert ingest_records(company.settings, records) == []
    assert company.ask(
        "select (select count(*) from raw.events), (select count(*) from raw.salesforce_contacts)"
    ) == [(1, 1)]
