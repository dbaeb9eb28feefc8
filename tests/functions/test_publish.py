"""`publish` over a real queue: what failed goes back, what was done is not done again, and it starts fast."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import stamina

from functions.publish.handler import handler
from lakehouse import aws, settings
from lakehouse.local.hubspot.faults import Fault
from lakehouse.local.hubspot.server import HubSpotSimulator
from lakehouse.outbound.definition import load_syncs
from lakehouse.outbound.delivery_counts import status
from lakehouse.outbound.destinations.hubspot_api import close_clients
from lakehouse.outbound.planner import plan_run
from lakehouse.privacy.projection import project
from tests.support import cloud as clouds
from tests.support.truths import Told

SYNC = load_syncs()["hubspot_segments"]


@dataclass
class Context:
    """What Lambda says of a call, as far as Powertools asks."""

    function_name: str = "publish"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:publish"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def hubspot(monkeypatch, tmp_path):
    simulator = HubSpotSimulator(tmp_path / "hubspot.sqlite", clouds.TOKEN)
    monkeypatch.setenv("LAKEHOUSE_HUBSPOT_URL", simulator.start())
    with clouds.cloud(monkeypatch):
        yield simulator
    close_clients()
    simulator.stop()


def _plan(number):
    """Let `number` customers allow it and plan a run for them."""
    now = datetime.now(UTC)
    grants = {(f"c{n:04d}", f"p{n}@x.org", "marketing", "email"): f"k{n}" for n in range(number)}
    project(settings.current(), Told(grants, "1", now), now, timedelta(days=1))
    rows = [
        {"customer_id": f"c{n:04d}", "email": f"p{n}@x.org", "segments": ["high_value"], "consented": True}
        for n in range(number)
    ]
    return plan_run(settings.current(), SYNC, SYNC.desired(rows), now, {"ops.segment_members": "1"})


def _event():
    """Receive from the queue as the event source mapping does, and hand it over as Lambda does."""
    url = settings.current().publish_queue_url
    answer = aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    records = [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:publish",
            "awsRegion": "us-east-1",
        }
        for message in answer["Messages"]
    ]
    return {"Records": records}


def test_the_chunks_of_a_run_are_delivered_once(hubspot):
    """Three messages, and again the same three: every contact is written once, with its segments."""
    _plan(205)
    event = _event()
    assert len(event["Records"]) == 3
    assert handler(event, Context()) == {"batchItemFailures": []}
    assert handler(event, Context()) == {"batchItemFailures": []}
    state = hubspot.state()
    assert (state["contacts"], state["most_writes"]) == (205, 1)
    counts = status(settings.current())["hubspot_segments"]
    assert (counts["selected"], counts["sent"], counts["balanced"]) == (205, 205, True)


def test_books_hear_of_what_was_delivered(hubspot, monkeypatch):
    """At once, and not with their schedule: `ops.deliveries` would lag behind `status` by a quarter of an hour."""
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = aws.sqs().create_queue(QueueName="books.fifo", Attributes=fifo)["QueueUrl"]
    with_books = settings.current().model_copy(update={"books_queue_url": url})
    monkeypatch.setattr(sys.modules[handler.__module__], "current", lambda: with_books)
    _plan(1)
    assert handler(_event(), Context()) == {"batchItemFailures": []}
    (hint,) = aws.sqs().receive_message(QueueUrl=url)["Messages"]
    assert json.loads(hint["Body"])["detail"]["table"] == "ops.deliveries"


def test_what_cannot_be_delivered_goes_back_alone(hubspot):
    """A chunk that HubSpot does not take returns to the queue; its neighbours are done; next time it goes."""
    _plan(205)
    event = _event()
    second = event["Records"][1]
    address = f"p{int(json.loads(second['body'])['chunk'][-4:]) * 100 - 99}@x.org"
    hubspot.faults.add(Fault(status=503, id=address, times=5))
    with stamina.set_testing(True, attempts=5):
        assert handler(event, Context()) == {"batchItemFailures": [{"itemIdentifier": second["messageId"]}]}
    assert status(settings.current())["hubspot_segments"]["in_flight"] in {5, 100}
    assert handler(event, Context()) == {"batchItemFailures": []}
    assert hubspot.state()["most_writes"] == 1


def test_a_message_of_another_kind_goes_back(hubspot):
    """It ends in the dead-letter queue, where a person sees it; the chunk beside it is delivered."""
    _plan(1)
    event = _event()
    event["Records"].append({**event["Records"][0], "messageId": "odd", "body": '{"tick": true}'})
    assert handler(event, Context()) == {"batchItemFailures": [{"itemIdentifier": "odd"}]}
    assert hubspot.state()["contacts"] == 1


def test_nothing_personal_is_in_the_logs(hubspot, caplog, capsys):
    """Neither addresses nor customer ids, in success and failure, whoever logs and at whatever level."""
    caplog.set_level(logging.DEBUG)
    hubspot.faults.add(Fault(status=409, id="p0@x.org", times=9))
    _plan(3)
    event = _event()
    caplog.clear()
    handler(event, Context())
    ours = [record for record in caplog.records if not record.name.startswith("botocore")]
    said = capsys.readouterr().out + "".join(str(vars(record)) for record in ours)
    assert "chunk delivered" in said
    assert "x.org" not in said
    assert "c0000" not in said
