"""SQS batches as Lambda makes and answers them: records, failures, message groups, size."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.local.policy import PollerPolicy
from lakehouse.local.runtime.pollers import (
    as_record,
    by_message_group,
    failed_ids,
    has_room,
    window_seconds,
)


def _failures(*ids: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": i} for i in ids]}


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        (_failures("a"), {"a"}),
        (_failures("a", "b", "a"), {"a", "b"}),
        (_failures(""), {"a", "b", "c"}),
        (_failures(None), {"a", "b", "c"}),
        (_failures("a", "unknown"), {"a", "b", "c"}),
        ({"batchItemFailures": [{"wrongKey": "a"}]}, {"a", "b", "c"}),
        ({"batchItemFailures": ["a"]}, {"a", "b", "c"}),
        ({"batchItemFailures": "a"}, {"a", "b", "c"}),
        ("done", {"a", "b", "c"}),
    ],
)
def test_an_answer_names_the_failed_messages_or_all_failed(answer: Any, failed: set[str]) -> None:
    """As Lambda reads it: empty means success, what cannot be understood fails the whole batch."""
    assert failed_ids(answer, ["a", "b", "c"], reports=True) == failed


def test_without_reporting_an_answer_means_success() -> None:
    """A mapping without ReportBatchItemFailures deletes all that did not raise."""
    assert failed_ids(_failures("a"), ["a"], reports=False) == set()


def test_a_message_becomes_lambdas_record() -> None:
    """Names are in camel case, and binary attributes base64."""
    message: Any = {
        "MessageId": "m",
        "ReceiptHandle": "h",
        "Body": "b",
        "MD5OfBody": "5",
        "Attributes": {"ApproximateReceiveCount": "2"},
        "MessageAttributes": {
            "s": {"DataType": "String", "StringValue": "v"},
            "b": {"DataType": "Binary", "BinaryValue": b"\x00"},
        },
    }
    record = as_record(message, "arn:aws:sqs:us-east-1:1:q", "us-east-1")
    assert record["attributes"] == {"ApproximateReceiveCount": "2"}
    assert record["messageAttributes"]["s"]["stringValue"] == "v"
    assert record["messageAttributes"]["b"]["binaryValue"] == "AA=="
    assert record["eventSource"] == "aws:sqs"


def _message(body: str = "", group: str = "") -> Any:
    return {"Body": body, "Attributes": {"MessageGroupId": group}}


def test_messages_of_a_fifo_queue_are_batched_by_group_in_their_order() -> None:
    """Groups in the order of their first message."""
    messages = [_message(body, group) for body, group in [("1", "b"), ("2", "a"), ("3", "b")]]
    batches = [[message["Body"] for message in batch] for batch in by_message_group(messages)]
    assert batches == [["1", "3"], ["2"]]
    assert by_message_group([]) == []


def test_a_batch_is_full_by_messages_or_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of the bodies in UTF-8: an invocation's payload is limited in bytes."""
    monkeypatch.setattr(PollerPolicy, "batch_bytes", 6)
    assert has_room([_message("ab")], 2)
    assert not has_room([_message("ab"), _message("c")], 2)
    assert has_room([_message("订")], 2)
    assert not has_room([_message("订单")], 2)


@pytest.mark.parametrize(
    ("since_last", "prompt", "seconds"),
    [
        (math.inf, True, 0.2),
        (5.0, True, 0.2),
        (1.0, True, 0.2),
        (0.3, True, 0.7),
        (0.0, True, 1.0),
        (math.inf, False, 1.0),
        (0.0, False, 1.0),
    ],
)
def test_what_arrives_after_a_pause_does_not_wait_for_a_window(
    since_last: float, prompt: bool, seconds: float
) -> None:
    """Only where somebody looks whether it arrived; a mapping without a window has none."""
    assert window_seconds(1.0, since_last, prompt=prompt) == pytest.approx(seconds)
    assert window_seconds(0.0, since_last, prompt=prompt) == 0


@given(st.lists(st.floats(0, 20), min_size=1, max_size=60), st.sampled_from([0.5, 1.0, 5.0]))
def test_windows_space_batches_whatever_comes(moments: list[float], window: float) -> None:
    """Messages at any moments: no two batches within a window, and none waits for longer than one."""
    waiting, handed_on = sorted(moments), -math.inf
    while waiting:
        began = max(waiting[0], handed_on)
        end = began + window_seconds(window, began - handed_on, prompt=True)
        assert end - handed_on >= window - 1e-9
        assert end - waiting[0] <= window + 1e-9
        handed_on, waiting = end, [moment for moment in waiting if moment > end]
