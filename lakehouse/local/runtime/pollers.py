"""SQS event source mappings as Lambda runs them: batches, windows, concurrency, partial answers.

One thread a queue long-polls it, and only while a slot is free, so that messages wait in the queue rather
than in this process. What a call does not report as failed is deleted; what it does comes back when its visibility
time-out is over, and the queue's redrive policy moves it to the DLQ after `maxReceiveCount`. A FIFO queue
gives one call at a time the messages of one group, in order, at most 10, without a window; instead, it is left alone
for a moment after each call, so that messages gather.

One thing is sooner here than on Lambda: what arrives after a pause (`PROMPT`) does not wait for a whole window, which
spaces batches then instead of delaying them. Somebody clicks and looks; and no more batches are made of any load.
"""

from __future__ import annotations

import base64
import math
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from lakehouse import aws, telemetry
from lakehouse.batching import batches
from lakehouse.local.policy import PollerPolicy
from lakehouse.local.runtime.call_threads import CallThreads
from lakehouse.local.runtime.logs import reason
from lakehouse.local.runtime.sandbox import REGION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

    from lakehouse.local.runtime.sandbox import Invoker
    from lakehouse.local.wiring.resources import Mapping

_MAX_MESSAGES: Final = 10  # SQS receives and deletes no more in one request
_LONG_POLL_SECONDS: Final = 20  # SQS waits no longer
PROMPT: Final = frozenset({"gather", "ingest"})  # functions on the way from a sender to a row


def as_record(message: MessageTypeDef, arn: str, region: str) -> dict[str, Any]:
    """Return a received message as it stands in a Lambda event."""
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _as_attribute(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }


def _as_attribute(value: Any) -> dict[str, Any]:
    binary = value.get("BinaryValue")
    return {
        "dataType": value["DataType"],
        "stringValue": value.get("StringValue"),
        "binaryValue": None if binary is None else base64.b64encode(binary).decode("ascii"),
        "stringListValues": [],
        "binaryListValues": [],
    }


def failed_ids(answer: Any, message_ids: Sequence[str], *, reports: bool) -> set[str]:
    """Return which of a batch's messages an invocation's answer leaves in the queue.

    Without ReportBatchItemFailures (`reports`): none. With it, an empty answer means none, and an answer that
    cannot be understood, or names a message that was not in the batch, means all.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if not reports or answer is None or answer == {}:
        return set()
    if not isinstance(answer, dict):
        return set(message_ids)
    failures = answer.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return set(message_ids)
    named = {_item_identifier(failure) for failure in failures}
    return {str(name) for name in named} if named <= set(message_ids) else set(message_ids)


def _item_identifier(failure: Any) -> Any:
    return failure.get("itemIdentifier") if isinstance(failure, dict) else None


def by_message_group(messages: Iterable[MessageTypeDef]) -> list[list[MessageTypeDef]]:
    """Return the messages of each message group of a FIFO queue, in the order they came."""
    groups: dict[str, list[MessageTypeDef]] = {}
    for message in messages:
        groups.setdefault(message["Attributes"]["MessageGroupId"], []).append(message)
    return list(groups.values())


def has_room(messages: Sequence[MessageTypeDef], batch_size: int) -> bool:
    """Return whether a batch may take more messages, by their number and by the bytes of their bodies."""
    body_bytes = sum(len(message["Body"].encode()) for message in messages)
    return len(messages) < batch_size and body_bytes < PollerPolicy.batch_bytes


def window_seconds(window: float, since_last: float, *, prompt: bool) -> float:
    """Return how long a batch gathers, `since_last` seconds after the one before it was handed on."""
    if not prompt:
        return window
    return min(window, max(PollerPolicy.moment_seconds, window - since_last))


class Poller:
    """Feeds one queue to one function until its invoker stops."""

    def __init__(self, mapping: Mapping, queue_url: str, invoker: Invoker) -> None:
        self._mapping = mapping
        self._url = queue_url
        self._fifo = queue_url.endswith(".fifo")
        account, name = queue_url.rsplit("/", 2)[-2:]
        self._arn = f"arn:aws:sqs:{REGION}:{account}:{name}"
        self._invoker = invoker
        self._stopping = invoker.stopping
        concurrency = 1 if self._fifo else mapping.max_concurrency or PollerPolicy.concurrency
        self._slots = threading.Semaphore(concurrency)
        self._calls = CallThreads()
        self._handed_on = -math.inf  # when the last batch was, on the monotonic clock

    def start(self) -> None:
        """Poll from now on."""
        threading.Thread(target=self._poll, name=f"poll-{self._mapping.function}", daemon=True).start()

    def finish(self, deadline: float) -> None:
        """Wait for the calls under way, until `deadline` on the monotonic clock at most."""
        self._calls.finish(deadline)

    def _poll(self) -> None:
        pause_seconds = PollerPolicy.first_pause_seconds
        while not self._stopping.is_set():
            self._slots.acquire()
            try:
                received = self._collect()
                pause_seconds = PollerPolicy.first_pause_seconds
            except Exception as error:  # noqa: BLE001 - the queue service is away; when stopping that is expected
                if not self._stopping.wait(pause_seconds):
                    telemetry.failed("cannot receive messages", error, queue=self._url)
                pause_seconds = min(PollerPolicy.longest_pause_seconds, pause_seconds * 2)
                received = []
            if received and not self._stopping.is_set():
                self._calls.start(self._deliver_all, received)
            else:
                self._slots.release()

    def _collect(self) -> list[list[MessageTypeDef]]:
        """Return the next batches: one, or for a FIFO queue one a message group; none if nothing came."""
        if self._fifo:
            at_most = min(self._mapping.batch_size, _MAX_MESSAGES)
            return by_message_group(self._receive(at_most, _LONG_POLL_SECONDS))
        messages = self._receive(self._mapping.batch_size, _LONG_POLL_SECONDS)
        if messages:
            self._gather(messages)
        return [messages] if messages else []

    def _gather(self, messages: list[MessageTypeDef]) -> None:
        """Add what comes within the mapping's window, until the batch is full; without a window what is there."""
        batch_size = self._mapping.batch_size
        began = time.monotonic()
        prompt = self._mapping.function in PROMPT
        window_end = began + window_seconds(self._mapping.window_s, began - self._handed_on, prompt=prompt)
        while has_room(messages, batch_size):
            seconds_left = window_end - time.monotonic()
            more = self._receive(batch_size - len(messages), int(max(seconds_left, 0)))
            messages += more
            if not more and self._window_closed(seconds_left):
                break
        self._handed_on = time.monotonic()

    def _window_closed(self, seconds_left: float) -> bool:
        """Return whether to wait no longer; SQS waits whole seconds, so the rest of a window is waited here."""
        if seconds_left <= 0:
            return True
        return self._stopping.wait(seconds_left if seconds_left < 1 else 0)

    def _receive(self, at_most: int, wait_seconds: int) -> list[MessageTypeDef]:
        answer = aws.sqs().receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(at_most, _MAX_MESSAGES),
            WaitTimeSeconds=min(wait_seconds, _LONG_POLL_SECONDS),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _deliver_all(self, received: Sequence[Sequence[MessageTypeDef]]) -> None:
        try:
            for batch in received:
                if not self._stopping.is_set():
                    self._deliver(batch)
            if self._fifo:
                self._stopping.wait(PollerPolicy.fifo_rest_seconds)
        finally:
            self._slots.release()

    def _deliver(self, batch: Sequence[MessageTypeDef]) -> None:
        """Call the function with a batch, and delete the messages that did not fail."""
        began = time.monotonic()
        failed = self._invoke(batch)
        done = [message for message in batch if message["MessageId"] not in failed]
        try:
            self._delete(done)
        except Exception as error:  # noqa: BLE001 - they will be delivered again, which every handler bears
            telemetry.failed("cannot delete messages", error, queue=self._url, count=len(done))
        self._invoker.on_event(self._mapping.function, len(batch), time.monotonic() - began, len(failed))

    def _invoke(self, batch: Sequence[MessageTypeDef]) -> set[str]:
        """Return the ids of the messages that failed: all of them when the function raised."""
        function = self._mapping.function
        message_ids = [message["MessageId"] for message in batch]
        try:
            records = [as_record(message, self._arn, REGION) for message in batch]
            answer = self._invoker.invoke(function, {"Records": records})
            return failed_ids(answer, message_ids, reports=self._mapping.report_failures)
        except Exception as error:  # noqa: BLE001 - whatever the handler raised: the batch failed
            what = "the function raised: its batch comes back"
            telemetry.failed(what, error, function=function, count=len(message_ids), reason=reason(error))
            return set(message_ids)

    def _delete(self, messages: Sequence[MessageTypeDef]) -> None:
        for batch in batches(messages, count=_MAX_MESSAGES):
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(batch)
            ]
            aws.sqs().delete_message_batch(QueueUrl=self._url, Entries=entries)
