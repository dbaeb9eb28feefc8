"""Two days of a company on the deployed template: webhooks and files go in, and all functions run until all is done."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from hubspot.utils.signature import Signature

from lakehouse.local.hubspot.server import HubSpotSimulator
from lakehouse.sample import purchases
from lakehouse.signals import TABLE_COMMITTED
from lakehouse.tables.contracts import TRIGGERS
from tests.cloud.deployment import PREFIX, Deployment, emulator, until

TOKEN, SIGNING, WRITE_KEY = "pat-cloud", "signing-secret-of-the-webhooks", "write-key-of-the-site"
QUEUES = (
    "CollectQueue",
    "IngestQueue",
    "ResolveQueue",
    "AggregateQueue",
    "ExportQueue",
    "PublishQueue",
    "BooksQueue",
)
RULES = ("ObjectCreatedRule", "RawCommittedRule", "CoreCommittedRule", "MartsCommittedRule")
OWN_EVENTS = 3  # of `_events`, and one that is tracked, besides the sample's
_BUSY_SECONDS = (
    0.5  # between two looks at queues that are not empty: the emulator is one process, and has work to do
)
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_THE_SAME = b"""{"statement_id": "1", "one_type": "user_id", "one_value": "visitor-1", "other_type": "user_id", \
"other_value": "visitor-2", "verdict": "one", "said_by": "ann", "said_at": "2026-01-01T00:00:00Z", "why": "she called"}
"""  # two become one
_PRODUCTS = """\
product_id,name,category,brand,barcode,unit,list_price,cost,currency,is_active,created_at,updated_at
LAMP-1,Lamp,Home,Lumen,4006381333931,piece,19.90,9.00,EUR,true,2025-06-01T00:00:00Z,
CHAIR-2,Chair,Home,Sitwell,4006381333948,piece,45.00,22.00,EUR,true,2025-06-01T00:00:00Z,
"""


@dataclass
class Company:
    """A deployed lakehouse with its CRM, the truth of the sample's files, and what functions answered."""

    deployment: Deployment
    crm: HubSpotSimulator
    files: list[purchases.SampleFile]
    truth: dict[str, Any]
    put: int = 0  # raw files, the webhook's included
    webhooks: list[httpx.Response] = field(default_factory=list)
    tracked: list[httpx.Response] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)  # of functions that were called directly, by name

    def land(self, key: str, body: bytes) -> dict[str, Any]:
        """Put a raw file, as whoever exports it does; return what names it."""
        answer = self.deployment.client("s3").put_object(Bucket=f"{PREFIX}-landing", Key=key, Body=body)
        self.put += 1
        return {"key": key, "version_id": answer["VersionId"], "size": len(body)}

    def announce(self, file: dict[str, Any]) -> None:
        """Tell ingest of a raw file, as `sweep` would."""
        message = {"files": [{"bucket": f"{PREFIX}-landing", **file}]}
        self.deployment.client("sqs").send_message(
            QueueUrl=self.deployment.resources["IngestQueue"], MessageBody=json.dumps(message)
        )

    def webhook(self, body: bytes) -> None:
        """Send a webhook as HubSpot does, signed."""
        host = f"{self.deployment.resources['Api']}.execute-api.127.0.0.1"
        path = "/land/hubspot/webhooks"
        stamp = str(int(time.time() * 1000))
        signature = Signature.get_signature(
            SIGNING, body.decode(), "v3", f"https://{host}{path}", "POST", stamp
        )
        headers = {
            "Host": host,
            "X-Forwarded-Proto": "https",
            "x-hubspot-signature-v3": signature,
            "X-HubSpot-Request-Timestamp": stamp,
        }
        url = f"{self.deployment.endpoint}{path}"
        self.webhooks.append(httpx.post(url, content=body, headers=headers, timeout=60, trust_env=False))

    def track(self, message_id: str) -> None:
        """Send a tracked event as a browser does."""
        host = f"{self.deployment.resources['Api']}.execute-api.127.0.0.1"
        event = {
            "writeKey": WRITE_KEY,
            "messageId": message_id,
            "event": "Looked",
            "anonymousId": "device-3",
            "timestamp": "1998-06-01T00:00:00Z",
        }
        url, headers = f"{self.deployment.endpoint}/v1/t", {"Host": host, "Content-Type": "text/plain"}
        self.tracked.append(
            httpx.post(url, content=json.dumps(event), headers=headers, timeout=60, trust_env=False)
        )

    def call(self, function: str) -> None:
        """Call a function as its schedule does: nobody waits for a day here."""
        self.answers[function] = self.deployment.invoke(function, {"schedule": function})

    def hint(self, queue: str, what: str) -> None:
        """Send a hint as a schedule does; the books' queue takes the same text once in five minutes."""
        self.deployment.client("sqs").send_message(
            QueueUrl=self.deployment.resources[queue],
            MessageBody=json.dumps({"tick": what}),
            **({"MessageGroupId": "books"} if queue == "BooksQueue" else {}),
        )

    def news(self, queue: str, table: str) -> None:
        """Send what a rule makes of a commit."""
        body = {"detail-type": TABLE_COMMITTED, "detail": {"table": table, "snapshot_id": "1"}}
        self.deployment.client("sqs").send_message(
            QueueUrl=self.deployment.resources[queue], MessageBody=json.dumps(body)
        )

    def settle(self) -> None:
        """Wait until no queue holds a message, some looks in a row: a rule may be about to bring one."""
        empty = 0

        def settled() -> bool:
            nonlocal empty
            if (
                failed := self.deployment.failed_batches
            ):  # their messages are hidden for longer than this waits
                raise AssertionError("\n".join(failed))
            if any(map(self.waiting, QUEUES)):
                empty = 0
                time.sleep(_BUSY_SECONDS)
            else:
                empty += 1
            return empty > 3

        try:
            until(settled, "queues that are empty")
        except AssertionError as error:
            left = {name: waiting for name in QUEUES if (waiting := self.waiting(name))}
            error.add_note(
                f"messages left: {left}; the emulator's last words:\n{self.deployment.log[-20000:]}"
            )
            raise

    def waiting(self, queue: str) -> int:
        """Return how many messages a queue has, whether they can be seen or not."""
        found = self.deployment.client("sqs").get_queue_attributes(
            QueueUrl=self.deployment.resources[queue], AttributeNames=list(_COUNTS)
        )
        return sum(map(int, found["Attributes"].values()))


@contextmanager
def company(folder: Path) -> Iterator[Company]:
    """Deploy, and put in by hand what a person puts in by hand: the secrets."""
    crm = HubSpotSimulator(folder / "crm.sqlite", TOKEN)
    files = purchases.write(folder / "sample", customers=60)
    truth = json.loads((folder / "sample" / "truth.json").read_text("utf-8"))
    secrets = {
        "webhook": {"hubspot": [SIGNING]},
        "hubspot": {"token": TOKEN},
        "hash": {"key": "a key of more than thirty-two characters"},
        "collect": {"web": [WRITE_KEY]},
    }
    try:
        with emulator(folder) as deployment:
            deployment.deploy(
                {
                    "BucketPrefix": PREFIX,
                    "CollectWindow": "1",
                    "IngestWindow": "1",
                    "StageWindow": "4",
                    "Definitions": "definitions",
                    "AsOf": truth["as_of"],
                    "HubSpotUrl": crm.start(),
                }
            )
            for name, value in secrets.items():
                deployment.client("secretsmanager").put_secret_value(
                    SecretId=f"lakehouse/{name}", SecretString=json.dumps(value)
                )
            yield Company(deployment, crm, files, truth)
    finally:
        crm.stop()


def first_day(company: Company) -> None:
    """Let everything in, and wait until the CRM knows: all by events."""
    for file in company.files:
        if file.source != "web":
            company.land(f"{file.source}/{file.entity}/{file.path.name}", file.path.read_bytes())
    months = [file.path.read_bytes() for file in company.files if file.source == "web"]
    company.land("web/events/all.json.gz", b"".join(months))  # gzip files one after another are one
    change = [{"eventId": 1, "subscriptionType": "contact.propertyChange", "objectId": 7}]
    for _ in range(2):  # HubSpot sends again what it got no answer to
        company.webhook(json.dumps(change).encode())
    company.put += 1
    company.track("tracked-1")
    company.put += 1
    company.land("erp/products/1.csv", _PRODUCTS.encode())
    company.land("club/visitors/1.csv", b"visitor_id,email\n1,a@example.org\n")
    company.land("nobody/knows/1.csv", b"a\n1\n")
    company.land("web/events/seen.json", _events("seen", {"device-1": "visitor-1", "device-2": "visitor-2"}))
    company.settle()


def second_day(company: Company) -> None:
    """Lose every event: `sweep` and `tick` bring everything through."""
    events = company.deployment.client("events")
    for rule in RULES:
        events.disable_rule(Name=company.deployment.resources[rule].rpartition("|")[2].rpartition("/")[2])
    # Small files in one partition, of raw rows and of books, until they are worth a rewrite.
    for number in range(2, 7):
        visitor = f"visitor_id,email\n{number},b@example.org\n".encode()
        company.announce(company.land(f"club/visitors/{number}.csv", visitor))
        company.settle()
        company.hint("BooksQueue", f"file {number}")
    company.land("people/ties/1.ndjson", _THE_SAME)
    company.announce({"key": "erp/products/gone.csv", "version_id": "gone", "size": 1})  # there never was one
    company.put += 1
    company.call("gather")  # nothing is left, and it looks
    company.call("sweep")
    company.settle()
    for _ in range(3):  # a stage a tick
        company.call("tick")
        company.settle()
    company.news("ExportQueue", TRIGGERS.name)  # on the first day it may come before any segment was computed
    company.settle()
    for what in ("the merge", "what the books say of it"):
        company.hint("BooksQueue", what)
        company.settle()
    company.call("maintain")


def _events(name: str, users: dict[str, str]) -> bytes:
    """Return what a site sends of users, each on a device."""
    return "".join(
        json.dumps(
            {
                "messageId": f"{name}-{device}",
                "type": "track",
                "event": "Looked",
                "anonymousId": device,
                "userId": user,
                "timestamp": "1998-06-01T00:00:00Z",
            }
        )
        + "\n"
        for device, user in users.items()
    ).encode()
