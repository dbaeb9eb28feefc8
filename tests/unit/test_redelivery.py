"""What a function does not get done comes back in minutes, later each time; what never helps does not."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.aws_policy import RedeliveryPolicy
from lakehouse.errors import BadDefinition, CommitConflict, Transient
from lakehouse.redelivery import come_back, redelivered, wait_seconds


class Queue:
    """SQS's answer to a change of visibility; `refuse` are the ids of messages that it does not take so many times."""

    def __init__(self, refuse: dict[str, int] | None = None, error: Exception | None = None) -> None:
        self.waits: dict[str, int] = {}
        self.requests: list[int] = []
        self._refuse, self._error = refuse or {}, error

    def change_message_visibility_batch(self, QueueUrl, Entries):  # noqa: N803
        assert QueueUrl == "queue"
        self.requests.append(len(Entries))
        if self._error:
            raise self._error
        failed = []
        for entry in Entries:
            handle = entry["ReceiptHandle"]
            if self._refuse.get(handle, 0) > 0:
                self._refuse[handle] -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.waits[handle] = entry["VisibilityTimeout"]
        return {"Failed": failed} if failed else {}


@pytest.fixture
def queue(monkeypatch):
    def make(**named) -> Queue:
        made = Queue(**named)
        monkeypatch.setattr(aws, "sqs", lambda: made)
        return made

    return make


def record(name: str, received: int = 1) -> dict:
    return {
        "messageId": name,
        "receiptHandle": name,
        "attributes": {"ApproximateReceiveCount": str(received)},
    }


def calling(outcome):
    """Return a handler of the queue that raises or answers."""

    @redelivered(lambda: "queue")
    def handler(event, context):
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return handler


@pytest.mark.parametrize(
    ("received", "seconds"), [(0, 60), (1, 60), (2, 120), (3, 240), (4, 480), (5, 900), (99, 900)]
)
def test_the_wait_doubles_up_to_its_limit(received, seconds):
    """All five tries are made within a quarter of an hour."""
    assert wait_seconds(received) == seconds
    assert sum(map(wait_seconds, range(1, 5))) <= 15 * 60


@pytest.mark.parametrize("error", [Transient("the catalog is away"), CommitConflict("another was first")])
def test_a_transient_brings_the_batch_back_and_is_no_error_of_the_function(queue, error):
    """In minutes, each message by how often it came; not after an hour and a half."""
    sqs = queue()
    event = {"Records": [record("a"), record("b", 3)]}
    assert calling(error)(event, None) == {
        "batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]
    }
    assert sqs.waits == {"a": 60, "b": 240}


def test_an_unknown_error_brings_the_batch_back_and_is_raised(queue):
    """Unknown errors count as transient; the alarm hears of them."""
    sqs = queue()
    with pytest.raises(KeyError):
        calling(KeyError("x"))({"Records": [record("a", 2)]}, None)
    assert sqs.waits == {"a": 120}


def test_a_terminal_error_leaves_messages_where_they_are(queue):
    """To come back soon never helps."""
    sqs = queue()
    with pytest.raises(BadDefinition):
        calling(BadDefinition("s.yaml: x"))({"Records": [record("a")]}, None)
    assert sqs.requests == []


def test_of_a_partial_failure_only_what_failed_comes_back_soon(queue):
    """The others are deleted by the caller."""
    sqs = queue()
    answer = {"batchItemFailures": [{"itemIdentifier": "b"}]}
    assert calling(answer)({"Records": [record("a"), record("b")]}, None) == answer
    assert sqs.waits == {"b": 60}
    assert calling({"batchItemFailures": []})({"Records": [record("a")]}, None) == {"batchItemFailures": []}
    assert calling(None)({"Records": [record("a")]}, None) is None
    assert sqs.requests == [1]


def test_messages_go_ten_a_request_and_those_not_taken_again(queue):
    """SQS takes ten, and may refuse some of them."""
    sqs = queue(refuse={"m3": 1, "m12": 1})
    come_back("queue", [record(f"m{number}") for number in range(23)])
    assert sqs.requests == [10, 1, 10, 1, 3]
    assert sqs.waits == {f"m{number}": 60 for number in range(23)}


@pytest.mark.parametrize(
    "named",
    [
        {"error": ClientError({"Error": {"Code": "AccessDenied"}}, "ChangeMessageVisibilityBatch")},
        {"refuse": {"a": 99}},
    ],
)
def test_a_queue_that_cannot_change_it_costs_time_and_nothing_else(queue, named):
    """The answer is the same, and the messages come back when their queue says."""
    queue(**named)
    assert calling(Transient("x"))({"Records": [record("a")]}, None) == {
        "batchItemFailures": [{"itemIdentifier": "a"}]
    }


def test_an_event_that_is_no_batch_of_messages_is_left_alone(queue):
    """A schedule, or a payload by hand without receipts."""
    sqs = queue()
    assert calling({"stages": []})({"schedule": "tick"}, None) == {"stages": []}
    come_back("", [record("a")])
    assert sqs.requests == []
    assert RedeliveryPolicy.first_wait_seconds < RedeliveryPolicy.longest_wait_seconds
