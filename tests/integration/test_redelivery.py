"""On a real queue: what a stage could not do is shown again in its own time, not in that of the queue."""

from __future__ import annotations

import threading
import time

import pytest

from functions.publish.handler import handler as publish
from functions.resolve.handler import handler as resolve
from lakehouse import aws, settings
from lakehouse.aws_policy import RedeliveryPolicy
from lakehouse.errors import BadDefinition, Transient
from lakehouse.local.runtime.pollers import Poller, as_record
from lakehouse.local.runtime.sandbox import Invoker
from lakehouse.local.wiring.resources import Function, Mapping
from tests.support import cloud as clouds

HIDDEN_SECONDS = "5700"  # as the template has it for stages
REGION = "us-east-1"


@pytest.fixture
def queue(monkeypatch):
    """The queue of `resolve`, whose failures come back after a second."""
    with clouds.cloud(monkeypatch):
        url = aws.sqs().create_queue(QueueName="resolve", Attributes={"VisibilityTimeout": HIDDEN_SECONDS})[
            "QueueUrl"
        ]
        for name in ("RESOLVE", "PUBLISH"):
            monkeypatch.setenv(f"LAKEHOUSE_{name}_QUEUE_URL", url)
        monkeypatch.setattr(RedeliveryPolicy, "first_wait_seconds", 1)
        settings.current.cache_clear()
        yield url


def receive(url: str, wait_seconds: int = 0) -> list[dict]:
    answer = aws.sqs().receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=wait_seconds,
        MessageSystemAttributeNames=["All"],
    )
    return [
        as_record(message, f"arn:aws:sqs:{REGION}:1:resolve", REGION)
        for message in answer.get("Messages", [])
    ]


def test_a_transient_comes_back_soon_and_later_each_time(queue, monkeypatch):
    """The queue alone would hide the message for an hour and a half."""

    def away(*_):
        raise Transient("the catalog is away")

    monkeypatch.setattr("functions.resolve.handler.resolve_and_refresh", away)
    aws.sqs().send_message(QueueUrl=queue, MessageBody='{"tick": true}')
    for received in (1, 2):
        records = receive(queue, 10)
        assert [record["attributes"]["ApproximateReceiveCount"] for record in records] == [str(received)]
        began = time.monotonic()
        answer = resolve({"Records": records}, None)
        assert answer == {"batchItemFailures": [{"itemIdentifier": records[0]["messageId"]}]}
        assert receive(queue) == []
    assert receive(queue, 10) != []
    assert time.monotonic() - began >= 1.9  # twice the first wait


def test_what_never_helps_stays_hidden(queue, monkeypatch):
    """A wrong definition is mended by a person; until then `tick` asks often enough."""

    def wrong(*_):
        raise BadDefinition("sources/x.yaml: no")

    monkeypatch.setattr("functions.resolve.handler.resolve_and_refresh", wrong)
    aws.sqs().send_message(QueueUrl=queue, MessageBody='{"tick": true}')
    with pytest.raises(BadDefinition):
        resolve({"Records": receive(queue, 10)}, None)
    assert receive(queue, 2) == []


def test_a_message_of_a_batch_that_failed_comes_back_alone(queue):
    """A chunk that cannot be delivered; the batch processor names it."""
    aws.sqs().send_message(QueueUrl=queue, MessageBody='{"sync": "s", "run": "1", "chunk": "c"}')
    records = receive(queue, 10)
    assert publish({"Records": records}, None) == {
        "batchItemFailures": [{"itemIdentifier": records[0]["messageId"]}]
    }
    assert [record["messageId"] for record in receive(queue, 10)] == [records[0]["messageId"]]


def test_the_local_runner_brings_it_back_as_lambda_does(queue, monkeypatch):
    """The functions of a laptop change the visibility of the very queue that they are fed from."""
    calls: list[float] = []
    done = threading.Event()

    def away_at_first(*_):
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise Transient("the catalog is away")
        done.set()

    monkeypatch.setattr("functions.resolve.handler.resolve_and_refresh", away_at_first)
    failed: list[int] = []
    invoker = Invoker(
        {"resolve": Function("resolve", "functions.resolve.handler", 128, 60, "Image", {})},
        lambda _name, _messages, _seconds, failures: failed.append(failures),
    )
    poller = Poller(Mapping("resolve", "resolve", 10, 0, 2, report_failures=True), queue, invoker)
    poller.start()
    try:
        aws.sqs().send_message(QueueUrl=queue, MessageBody='{"tick": true}')
        assert done.wait(30)
    finally:
        invoker.stopping.set()
        poller.finish(time.monotonic() + 10)
    assert failed[0] == 1
    assert 0.9 <= calls[1] - calls[0] < 30
