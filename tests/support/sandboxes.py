"""A stack's services with each function in a sandbox of its own: events are made of what the queues really hold."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse import aws
from lakehouse.local.runtime.pollers import as_record
from lakehouse.local.runtime.sandbox import Invoker
from lakehouse.settings import current
from tests.support import questions
from tests.support.lambda_runtime import ROOT, Sandbox
from tests.support.small_company import HUBSPOT, SHOP

if TYPE_CHECKING:
    from lakehouse.local.stack import Stack

QUEUES = {
    "gather": "local-collect",
    "ingest": "local-ingest",
    "resolve": "local-resolve",
    "aggregate": "local-aggregate",
    "export_segments": "local-export",
    "publish": "local-publish",
    "books": "local-books.fifo",
}


class Sandboxes:
    """Starts sandboxes with a stack's environment and the template's memory, and knows what is in the lake.

    A start costs more than most calls: what proves nothing about the runtime is called without a sandbox.
    """

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.functions = stack.wiring().functions
        self._invoker = Invoker(self.functions)

    def start(self, name: str, **env: str) -> Sandbox:
        """Start a function; its /tmp is its own, and the next sandbox of the function finds what this one left."""
        scratch = self.folder / "scratch" / name
        scratch.mkdir(parents=True, exist_ok=True)
        environment = {**self.stack.info.env, "LAKEHOUSE_SCRATCH": str(scratch), **env}
        del environment["POWERTOOLS_METRICS_DISABLED"]
        function = self.functions[name]
        return Sandbox(f"{function.handler}.handler", self.folder, environment, function.memory_mb)

    def call(self, name: str, event: dict[str, Any]) -> Any:
        """Call a function in this process, as a laptop does: it need not be started. Return its answer."""
        return self._invoker.invoke(name, event)

    def event(self, function: str, files: int = 1) -> dict[str, Any]:
        """Return what waits for a function: its queue's messages as Lambda hands them over, or its folder's event.

        Hints are there when their sender has answered; the events of so many `files` come by themselves.
        """
        if function == "land":
            return self.webhook()
        if function == "collect":
            return self.tracked()
        if function not in QUEUES:
            return json.loads((ROOT / "events" / function / "schedule.json").read_text("utf-8"))
        records = []
        while len(records) < (files if function == "ingest" else 1):
            more = self._receive(QUEUES[function], 20)
            assert more, f"only {len(records)} messages came to {QUEUES[function]}"
            records += more
        while more := self._receive(QUEUES[function], 0):
            records += more
        return {"Records": records}

    def put(self, name: str, *, orders: list[str], contacts: list[str]) -> None:
        """Land a shop's and a CRM's export."""
        for source, header, rows in (("shop/orders", SHOP, orders), ("hubspot/contacts", HUBSPOT, contacts)):
            text = "\n".join([header, *rows]) + "\n"
            aws.s3().put_object(
                Bucket=current().landing_bucket, Key=f"{source}/{name}.csv", Body=text.encode()
            )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the tables as they stand."""
        return questions.ask(current(), query)

    def webhook(self, number: int = 3719348211) -> dict[str, Any]:
        """Return HubSpot's example webhook with an event of this number, signed now with this stack's secret."""
        event = json.loads((ROOT / "events" / "land" / "hubspot_webhook.json").read_text("utf-8"))
        body = json.loads(event["body"])
        body[0]["eventId"] = number
        event["body"] = json.dumps(body)
        stamp = str(int(datetime.now(UTC).timestamp() * 1000))
        uri = f"https://{event['headers']['host']}{event['rawPath']}"
        secret = self.stack.info.secrets["hubspot_webhook"]
        signed = f"POST{uri}{event['body']}{stamp}".encode()
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        event["headers"] |= {
            "x-hubspot-request-timestamp": stamp,
            "x-hubspot-signature-v3": base64.b64encode(digest).decode(),
        }
        return event

    def tracked(self) -> dict[str, Any]:
        """Return a browser's example request, with this stack's write key."""
        event = json.loads((ROOT / "events" / "collect" / "browser_page.json").read_text("utf-8"))
        page = json.loads(event["body"]) | {"writeKey": self.stack.info.secrets["write_key"]}
        return event | {"body": json.dumps(page)}

    def _receive(self, queue: str, wait_seconds: int) -> list[dict[str, Any]]:
        url = aws.sqs().get_queue_url(QueueName=queue)["QueueUrl"]
        answer = aws.sqs().receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            VisibilityTimeout=600,
            WaitTimeSeconds=wait_seconds,
        )
        arn = f"arn:aws:sqs:us-east-1:123456789012:{queue}"
        return [as_record(message, arn, "us-east-1") for message in answer.get("Messages", [])]

    def done(self, function: str, event: dict[str, Any]) -> None:
        """Delete what was handed over, as Lambda does after an answer without failures."""
        if function in QUEUES:
            url = aws.sqs().get_queue_url(QueueName=QUEUES[function])["QueueUrl"]
            for record in event["Records"]:
                aws.sqs().delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])
