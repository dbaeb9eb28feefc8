"""SQS event source mappings as Lambda runs them: batches, windows, concurrency, partial answers.

One thread a queue long-polls it, and only while a slot is free, so that messages wait in the queue rather
than here. What a call does not report as failed is deleted; what it does comes back when its visibility
time-out is over, and the queue's redrive policy moves it to the DLQ after `maxReceiveCount`. A FIFO queue
gives one call at a time the messages of one group, in order, at most 10, without a window.
"""

from __future__ import annotations

import base64
import threading
import time
from typing import TYPE_CHECKING, Any

from lakehouse import aws, telemetry
from lakehouse.local.runtime.logs import reason
from lakehouse.local.runtime.sandbox import REGION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

    from lakehouse.local.runtime.sandbox import Invoker
    from lakehouse.local.wiring.resources import Mapping

_RECEIVE = 10  # ReceiveMessage gives no more
_LONG_POLL_S = 20
_PAYLOAD = 3 << 20  # bytes; with ten more messages of 256 KiB still under Lambda's 6 MB an invocation
_SLOTS = 2  # where the template sets no MaximumConcurrency


def as_record(message: MessageTypeDef, arn: str, region: str) -> dict[str, Any]:
    """Return a received message as it stands in a Lambda event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: {
                "dataType": value["DataType"],
                "stringValue": value.get("StringValue"),
                "binaryValue": _base64(value.get("BinaryValue")),
                "stringListValues": [],
                "binaryListValues": [],
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }


def _base64(value: Any) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")


def failed_ids(answer: Any, sent: Sequence[str], *, reports: bool) -> set[str]:
    """Return which of the message ids in `sent` an invocation's answer leaves in the queue.

    Without ReportBatchItemFailures: none. With it, an empty answer means none, and an answer that cannot be
    understood, or names a message that was not sent, means all.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if not reports or answer is None or answer == {}:
        return set()
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else "not an object"
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return set(sent)
    named = {f.get("itemIdentifier") if isinstance(f, dict) else None for f in failures}
    return {str(n) for n in named} if named <= set(sent) else set(sent)


class Poller:
    """Feeds one queue to one function until told to stop."""

    def __init__(self, mapping: Mapping, queue_url: str, invoker: Invoker) -> None:
        self._mapping = mapping
        self._url = queue_url
        self._fifo = queue_url.endswith(".fifo")
        account, name = queue_url.rsplit("/", 2)[-2:]
        self._arn = f"arn:aws:sqs:{REGION}:{account}:{name}"
        self._invoker = invoker
        self._stopping = invoker.stopping
        self._slots = threading.Semaphore(1 if self._fifo else mapping.max_concurrency or _SLOTS)
        self._calls: set[threading.Thread] = set()

    def start(self) -> None:
        """Poll from now on."""
        threading.Thread(target=self._poll, name=f"poll-{self._mapping.function}", daemon=True).start()

    def finish(self, deadline: float) -> None:
        """Wait for the calls under way, until `deadline` on the monotonic clock at most."""
        for call in list(self._calls):
            call.join(max(0.0, deadline - time.monotonic()))

    def _poll(self) -> None:
        pause = 0.5
        while not self._stopping.is_set():
            self._slots.acquire()
            try:
                batches = self._collect()
                pause = 0.5
            except Exception as error:  # noqa: BLE001 - the queue service is away; when stopping that is expected
                if not self._stopping.wait(pause):
                    telemetry.failed("cannot receive messages", error, queue=self._url)
                pause = min(10.0, pause * 2)
                batches = []
            if batches and not self._stopping.is_set():
                call = threading.Thread(target=self._deliver_all, args=(batches,), daemon=True)
                self._calls.add(call)
                call.start()
            else:
                self._slots.release()

    def _collect(self) -> list[list[MessageTypeDef]]:
        """Return the next batches: one, or for a FIFO queue one a message group; none if nothing came."""
        size = min(self._mapping.batch_size, _RECEIVE) if self._fifo else self._mapping.batch_size
        messages = self._receive(size, _LONG_POLL_S)
        if self._fifo:
            groups: dict[str, list[MessageTypeDef]] = {}
            for message in messages:
                groups.setdefault(message["Attributes"]["MessageGroupId"], []).append(message)
            return list(groups.values())
        ends = time.monotonic() + self._mapping.window_s
        while messages and self._has_room(messages, size):
            left = ends - time.monotonic()
            more = self._receive(size - len(messages), int(max(left, 0)))
            messages += more
            if not more and (left <= 0 or self._stopping.wait(left if left < 1 else 0)):
                break
        return [messages] if messages else []

    def _has_room(self, messages: Sequence[MessageTypeDef], size: int) -> bool:
        return len(messages) < size and sum(len(m["Body"].encode()) for m in messages) < _PAYLOAD

    def _receive(self, at_most: int, wait_s: int) -> list[MessageTypeDef]:
        answer = aws.sqs().receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(at_most, _RECEIVE),
            WaitTimeSeconds=min(wait_s, _LONG_POLL_S),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _deliver_all(self, batches: Sequence[Sequence[MessageTypeDef]]) -> None:
        try:
            for batch in batches:
                if not self._stopping.is_set():
                    self._deliver(batch)
        finally:
            self._calls.discard(threading.current_thread())
            self._slots.release()

    def _deliver(self, batch: Sequence[MessageTypeDef]) -> None:
        function = self._mapping.function
        sent = [m["MessageId"] for m in batch]
        began = time.monotonic()
        try:
            records = [as_record(m, self._arn, REGION) for m in batch]
            answer = self._invoker.invoke(function, {"Records": records})
            failed = failed_ids(answer, sent, reports=self._mapping.report_failures)
        except Exception as error:  # noqa: BLE001 - whatever the handler raised: the batch failed
            what = "the function raised: its batch comes back"
            telemetry.failed(what, error, function=function, count=len(sent), reason=reason(error))
            failed = set(sent)
        done = [m for m in batch if m["MessageId"] not in failed]
        try:
            self._delete(done)
        except Exception as error:  # noqa: BLE001 - they will be delivered again, which every handler bears
            telemetry.failed("cannot delete messages", error, queue=self._url, count=len(done))
        self._invoker.on_event(function, len(batch), time.monotonic() - began, len(failed))

    def _delete(self, messages: Sequence[MessageTypeDef]) -> None:
        for first in range(0, len(messages), _RECEIVE):
            some = messages[first : first + _RECEIVE]
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(some)
            ]
            aws.sqs().delete_message_batch(QueueUrl=self._url, Entries=entries)
