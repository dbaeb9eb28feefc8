"""A small company: a cloud, a HubSpot, a sync, and hands to move them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse import aws, settings
from lakehouse.local.hubspot.faults import Fault
from lakehouse.local.hubspot.server import HubSpotSimulator
from lakehouse.outbound.definition import Sync
from lakehouse.outbound.deliver import deliver
from lakehouse.outbound.destinations.hubspot_api import close_clients
from lakehouse.outbound.planner import plan_run
from lakehouse.outbound.records import Desired
from lakehouse.privacy.projection import project
from tests.support import cloud as clouds
from tests.support.truths import Told

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SYNC = Sync.model_validate(
    {
        "name": "news",
        "destination": "hubspot",
        "id": {"property": "email", "from": "email"},
        "purpose": "marketing",
        "channel": "email",
        "segments": ["vip"],
        "properties": {"lakehouse_segments": "segments"},
    }
)


def wanted(number, value="vip", **more):
    """What the CRM should hold for the n-th customer."""
    fields = {"customer_id": f"c{number:04d}", "id": f"p{number:04d}@x.org", "consented": True, **more}
    return Desired(properties={"lakehouse_segments": value}, **fields)


@dataclass
class Company:
    """The sync, its HubSpot and the clock."""

    hubspot: HubSpotSimulator
    sync: Sync = SYNC
    now: datetime = NOW
    inputs: dict[str, str] = field(default_factory=lambda: {"ops.segment_members": "1"})
    version: int = 0

    @property
    def settings(self):
        return settings.current()

    def allow(self, *numbers, max_age=timedelta(days=30)):
        """Make these customers, and nobody else, allow marketing by e-mail, at a bad address, too."""
        self.version += 1
        addresses = [
            (f"c{n:04d}", address) for n in numbers for address in (f"p{n:04d}@x.org", "not-an-address")
        ]
        grants = {(*who, "marketing", "email"): f"consent-{int(who[0][1:])}" for who in addresses}
        project(self.settings, Told(grants, str(self.version), self.now), self.now, max_age)

    def plan(self, *desired):
        """Plan a run."""
        return plan_run(self.settings, self.sync, list(desired), self.now, self.inputs)

    def messages(self):
        """Take the messages that the queue shows now."""
        found = []
        while True:
            url = self.settings.publish_queue_url
            some = aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            if not some:
                return found
            for message in some:
                aws.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))

    def publish(self):
        """Deliver what the queue shows now; return the outcomes' rows."""
        outcomes = [
            deliver(self.settings, m["sync"], m["run"], m["chunk"], self.now) for m in self.messages()
        ]
        return [row for outcome in outcomes if outcome for row in outcome.rows]

    def loop(self, *desired):
        """Plan and publish."""
        self.plan(*desired)
        return self.publish()

    def fault(self, **fault):
        """Let something go wrong with HubSpot."""
        self.hubspot.faults.add(Fault(**fault))

    def writes(self):
        """How often each contact was written."""
        return self.hubspot.state(every_contact=True)["writes_by_email"]

    def held(self, number):
        """What HubSpot holds in our property of the n-th customer; None without a contact."""
        with self.hubspot._store.batch():
            found = self.hubspot._store.find(f"p{number:04d}@x.org", "email")
        return None if found is None else found.properties.get("lakehouse_segments", "")


@pytest.fixture
def cloud(monkeypatch):
    with clouds.cloud(monkeypatch):
        yield


@pytest.fixture
def hubspot(tmp_path):
    simulator = HubSpotSimulator(tmp_path / "hubspot.sqlite", clouds.TOKEN)
    simulator.start()
    yield simulator
    close_clients()
    simulator.stop()


@pytest.fixture
def company(cloud, hubspot, monkeypatch):
    monkeypatch.setenv("LAKEHOUSE_HUBSPOT_URL", hubspot.url)
    settings.current.cache_clear()
    return Company(hubspot)


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


def statuses(rows):
    return {row.customer_id: (row.status, row.code) for row in rows}
