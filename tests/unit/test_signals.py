"""Messages are cut into requests that SQS takes, and those that it does not take are sent again."""

from __future__ import annotations

import json

import pytest

from lakehouse import aws, signals
from lakehouse.errors import Transient
from lakehouse.settings import Settings
from lakehouse.signals import Message


class Queue:
    """Answers for SQS; takes the first `takes` messages of a request."""

    def __init__(self, takes: int = 10) -> None:
        self.takes = takes
        self.requests: list[list[dict]] = []

    def send_message_batch(self, QueueUrl, Entries):  # noqa: N803, ARG002
        self.requests.append(list(Entries))
        return {"Failed": [{"Id": entry["Id"], "Code": "Throttled"} for entry in Entries[self.takes :]]}


@pytest.fixture
def queue(monkeypatch):
    def make(takes: int = 10) -> Queue:
        made = Queue(takes)
        monkeypatch.setattr(aws, "sqs", lambda: made)
        return made

    return make


@pytest.mark.parametrize(
    ("sizes", "requests"),
    [
        ([], []),
        ([10] * 23, [10, 10, 3]),
        ([200_000, 10, 10, 100_000, 100_000, 100_000, 250_000], [3, 2, 1, 1]),
    ],
)
def test_a_request_holds_ten_messages_and_256_kib(queue, sizes, requests):
    """More would be refused as a whole."""
    sqs = queue()
    assert signals.send_messages("url", (Message("x" * size) for size in sizes)) == len(sizes)
    assert [len(request) for request in sqs.requests] == requests


def test_a_message_says_its_delay_and_group_only_where_it_has_them(queue):
    """A FIFO queue takes no delay of a message, and no other queue a group."""
    sqs = queue()
    signals.send_messages("url", [Message("a"), Message("b", delay_seconds=0), Message("c", group="books")])
    assert sqs.requests == [
        [
            {"Id": "0", "MessageBody": "a"},
            {"Id": "1", "MessageBody": "b", "DelaySeconds": 0},
            {"Id": "2", "MessageBody": "c", "MessageGroupId": "books"},
        ]
    ]


def test_what_is_not_taken_is_sent_again_and_then_an_error(queue):
    """Three times in all; the error says how many are on the queue."""
    sqs = queue(takes=4)
    assert signals.send("url", [{"n": n} for n in range(10)]) == 10
    assert [len(request) for request in sqs.requests] == [10, 6, 2]
    queue(takes=1)
    with pytest.raises(
        Transient, match=r"did not take 7 messages \(Throttled\); 3 of those before are on it"
    ):
        signals.send("url", [{"n": n} for n in range(10)])


def test_a_commit_is_announced_on_the_bus_of_the_settings(monkeypatch):
    """As an event that rules can match by table."""
    sent = []

    class Bus:
        def put_events(self, Entries):  # noqa: N803
            sent.extend(Entries)
            return {"FailedEntryCount": 0}

    monkeypatch.setattr(aws, "events", Bus)
    signals.table_committed(Settings(event_bus="crm"), "raw.x", 1)
    (entry,) = sent
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "crm",
        "lakehouse",
        "TableCommitted",
    )
    assert json.loads(entry["Detail"]) == {"table": "raw.x", "snapshot_id": "1"}


def _hints(*bodies: str) -> dict:
    return {"Records": [{"body": body} for body in bodies]}


def _committed(table: object) -> str:
    return json.dumps({"detail-type": "TableCommitted", "detail": {"table": table, "snapshot_id": "1"}})


@pytest.mark.parametrize(
    ("event", "tables"),
    [
        pytest.param(_hints(_committed("raw.a"), _committed("raw.b")), {"raw.a", "raw.b"}, id="named"),
        pytest.param(_hints(_committed("raw.a"), '{"tick": true}'), None, id="one tick among them"),
        pytest.param(_hints('{"detail-type": "Other", "detail": {"table": "raw.a"}}'), None, id="another event"),
        pytest.param(_hints(_committed(7)), None, id="no name"),
        pytest.param(_hints("[]"), None, id="no object"),
        pytest.param(_hints("raw.a"), None, id="no JSON"),
        pytest.param({"source": "aws.events"}, None, id="no batch"),
        pytest.param(_hints(), None, id="an empty batch"),
    ],
)  # fmt: skip
def test_hints_name_tables_or_mean_all(event, tables):
    """Only where each of them names one is it safe to look at no other."""
    assert signals.committed_tables(event) == tables
