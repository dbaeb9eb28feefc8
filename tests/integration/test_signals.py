"""Hints between stages: sent where they should, missed without harm."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws, settings, signals
from lakehouse.errors import Transient
from tests.support import cloud as clouds


@pytest.fixture
def cloud(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


def queue(name, **attributes):
    return aws.sqs().create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def received(url):
    found = []
    while (
        some := aws.sqs()
        .receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
        .get("Messages")
    ):
        found += some
    return found


def test_a_commit_is_announced(cloud):
    """As a TableCommitted event that rules can match by table, snapshot ids as text: they exceed JSON's numbers."""
    url = queue("heard")
    arn = aws.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {
        "source": ["lakehouse"],
        "detail-type": ["TableCommitted"],
        "detail": {"table": [{"prefix": "raw."}]},
    }
    aws.events().put_rule(Name="raw", EventPattern=json.dumps(pattern))
    aws.events().put_targets(Rule="raw", Targets=[{"Id": "1", "Arn": arn}])
    signals.table_committed(settings.current(), "raw.shop_orders", 2**63 - 1)
    signals.table_committed(settings.current(), "core.orders", 1)
    (message,) = received(url)
    assert json.loads(message["Body"])["detail"] == {
        "table": "raw.shop_orders",
        "snapshot_id": str(2**63 - 1),
    }


@pytest.mark.parametrize("raises", [True, False])
def test_a_hint_that_cannot_be_sent_is_told_and_stops_nobody(cloud, monkeypatch, caplog, raises):
    """The rows are committed; tick finds them. EventBridge says of single entries that it did not take them."""

    class Broken:
        def put_events(self, **_):
            if raises:
                raise ClientError({"Error": {"Code": "InternalError"}}, "PutEvents")
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}

    monkeypatch.setattr(aws, "events", Broken)
    signals.table_committed(settings.current(), "raw.shop_orders", 1)
    assert [record.message for record in caplog.records] == ["hint lost, tick will find it"]


def test_more_than_ten_messages(cloud):
    """SQS takes ten a request; all arrive, once, and their number is told."""
    url = queue("many")
    assert signals.send(url, [{"n": n} for n in range(23)]) == 23
    assert sorted(json.loads(message["Body"])["n"] for message in received(url)) == list(range(23))
    assert signals.send(url, []) == 0


def test_large_messages_share_no_request(cloud, monkeypatch):
    """SQS counts the bytes of all messages of a request; ten of 200 kB would be refused together."""
    url, requests = queue("large"), []
    real = aws.sqs().send_message_batch

    def send(**request):
        requests.append([len(entry["MessageBody"]) for entry in request["Entries"]])
        return real(**request)

    monkeypatch.setattr(aws.sqs(), "send_message_batch", send)
    sizes = [200_000, 10, 10, 100_000, 100_000, 100_000, 250_000]
    assert signals.send(url, ({"x": "y" * size} for size in sizes)) == len(sizes)
    assert len(received(url)) == len(sizes)
    assert [len(request) for request in requests] == [3, 2, 1, 1]
    assert all(sum(request) <= 256 * 1024 for request in requests)


def test_what_a_queue_does_not_take_is_sent_again_and_then_told(cloud, monkeypatch):
    """A request may fail in part; nobody may believe that all of it is on its way."""
    url, asked = queue("moody"), []
    real = aws.sqs().send_message_batch

    def moody(**request):
        asked.append(len(request["Entries"]))
        refused = [{"Id": entry["Id"], "Code": "Throttled"} for entry in request["Entries"][kept:]]
        answer = real(**request | {"Entries": request["Entries"][:kept]})
        return answer | {"Failed": refused}

    monkeypatch.setattr(aws.sqs(), "send_message_batch", moody)
    kept = 4
    assert signals.send(url, [{"n": n} for n in range(10)]) == 10
    assert asked == [10, 6, 2]
    assert sorted(json.loads(message["Body"])["n"] for message in received(url)) == list(range(10))
    kept = 1
    with pytest.raises(
        Transient, match=r"did not take 7 messages \(Throttled\); 3 of those before are on it"
    ):
        signals.send(url, [{"n": n} for n in range(10)])


def test_messages_of_a_group_keep_their_order(cloud):
    """On FIFO queues."""
    url = queue("books.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    signals.send(url, [{"n": n} for n in range(4)], group="books")
    found = received(url)
    assert [json.loads(message["Body"])["n"] for message in found] == [0, 1, 2, 3]
    assert {message["Attributes"]["MessageGroupId"] for message in found} == {"books"}


def test_the_bus_is_the_one_of_the_settings(cloud, monkeypatch):
    """A company may have its own."""
    sent = []

    class Bus:
        def put_events(self, **request):
            sent.extend(request["Entries"])
            return {"FailedEntryCount": 0}

    monkeypatch.setenv("LAKEHOUSE_EVENT_BUS", "crm")
    settings.current.cache_clear()
    monkeypatch.setattr(aws, "events", Bus)
    signals.table_committed(settings.current(), "raw.x", 1)
    assert [entry["EventBusName"] for entry in sent] == ["crm"]
