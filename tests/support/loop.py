"""The whole loop, driven by hand: each queue's messages to its function, as its mapping says, until nothing moves."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from lakehouse import aws, settings
from lakehouse.landing.put import Landed, put
from lakehouse.local.runtime.pollers import as_record, failed_ids
from lakehouse.local.runtime.sandbox import REGION, Invoker
from lakehouse.stages import tick
from lakehouse.stages.status import status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.local.stack import Stack
    from lakehouse.local.wiring.resources import Mapping
    from lakehouse.sample.purchases import SampleFile

_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_SECONDS = 90


@dataclass
class Loop:
    """A stack whose functions run only when they are told to."""

    stack: Stack
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.mappings = self.stack.wiring().mappings
        self.invoker = Invoker(self.stack.wiring().functions)

    def land(self, files: Iterable[SampleFile]) -> list[Landed]:
        """Put files, as `lakehouse put` does."""
        return [put(settings.current(), f"{f.source}/{f.entity}", f.path) for f in files]

    def settle(self) -> None:
        """Deliver messages until no queue holds one and no stage has anything to do."""
        deadline = time.monotonic() + _SECONDS
        while sum(self.deliver(mapping) for mapping in self.mappings) or self._waits():
            assert time.monotonic() < deadline, f"not settled within {_SECONDS} s: {self.calls}"

    def _waits(self) -> bool:
        if any(self._waiting(mapping.queue_name) for mapping in self.mappings):
            return True
        due = tick.pending(settings.current())
        tick.hint(settings.current(), due)  # as the schedule does
        return bool(due) or bool(status(settings.current())["ingest"]["in_flight"])

    def _waiting(self, queue: str) -> int:
        found = aws.sqs().get_queue_attributes(QueueUrl=self._url(queue), AttributeNames=list(_COUNTS))[
            "Attributes"
        ]
        return sum(int(count) for count in found.values())

    def _url(self, queue: str) -> str:
        return self.stack._queue_urls[queue]

    def deliver(self, mapping: Mapping) -> int:
        """Deliver one batch of what a queue shows now; what did not fail is deleted. Return its size."""
        url, messages = self._url(mapping.queue_name), []
        most = min(mapping.batch_size, 100)
        while len(messages) < most:
            asked = {
                "QueueUrl": url,
                "MaxNumberOfMessages": min(10, most - len(messages)),
                "WaitTimeSeconds": 0,
            }
            some = aws.sqs().receive_message(**asked, MessageSystemAttributeNames=["All"]).get("Messages", [])
            if not some:
                break
            messages += some
        if not messages:
            return 0
        arn = f"arn:aws:sqs:{REGION}:123456789012:{mapping.queue_name}"
        event = {"Records": [as_record(message, arn, REGION) for message in messages]}
        failed = failed_ids(
            self.call(mapping.function, event), [m["MessageId"] for m in messages], reports=True
        )
        assert not failed, f"{mapping.function} failed"
        for message in messages:
            aws.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    def call(self, function: str, event: dict[str, Any]) -> Any:
        """Call a function."""
        self.calls[function] += 1
        return self.invoker.invoke(function, event)

    def ask_everybody(self) -> None:
        """Call every function once more, as schedules and repeated hints do."""
        hint = {"messageId": "m", "body": json.dumps({"tick": True})}
        for function in ("sweep", "maintain", "tick", "trigger"):
            self.call(function, {"schedule": function})
        for function in ("resolve", "aggregate", "export_segments", "books"):
            assert self.call(function, {"Records": [hint]}) == {"batchItemFailures": []}

    def crm(self) -> dict[str, dict[str, str]]:
        """Return the CRM's contacts by e-mail, with the properties that are ours, over its API."""
        assert self.stack.info
        token = self.stack.info.secrets["hubspot_token"]
        url = f"{settings.current().hubspot_url}/crm/v3/objects/contacts"
        query = {"limit": "100", "properties": "email,lakehouse_segments,lakehouse_customer_id"}
        found: dict[str, dict[str, str]] = {}
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client:
            while True:
                page = client.get(url, params=query).raise_for_status().json()
                found |= {one["properties"]["email"]: one["properties"] for one in page["results"]}
                if "paging" not in page:
                    return found
                query["after"] = page["paging"]["next"]["after"]

    def writes(self) -> dict[str, int]:
        """Return how often each contact of the CRM was written."""
        url = f"{settings.current().hubspot_url}/_simulator/state?writes=1"
        counts: dict[str, int] = httpx.get(url, trust_env=False).raise_for_status().json()["writes_by_email"]
        return counts
