"""Every destination with its simulator, behind one face: what the behaviour suite runs over.

A new destination gets a simulator and a line in `WORLDS`.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lakehouse.errors import Transient
from lakehouse.outbound.destinations import (
    Answer,
    Destination,
    NotSent,
    client,
    credentials,
    hubspot,
    hubspot_api,
    open_destination,
    salesforce,
    salesforce_bulk,
    wecom_api,
)
from lakehouse.outbound.destinations.inward import PinnedTransport
from lakehouse.outbound.destinations.spreadsheet_cells import original
from lakehouse.outbound.policy import BulkPolicy
from lakehouse.outbound.records import Chunk, Row
from lakehouse.settings import Settings
from tests.support import destination_simulators as simulators
from tests.support.destination_simulators import NOW, SIGNING, TOKEN
from tests.support.destination_wire import Fault, Wire
from tests.support.objects_in_memory import objects_in_memory
from tests.support.salesforce_simulator import SalesforceSimulator
from tests.support.wecom_simulator import CORP, WeComSimulator
from tests.support.workbook_reader import read_workbook

PUBLIC = "93.184.215.14"


@dataclass(frozen=True)
class Kind:
    """What a world is made of, and what is particular to its destination.

    `judges`: a row can fail among others. `refuses`: one row can make a whole request fail. `tells`: the answer says
    of each row what became of it, so that an empty 2xx says nothing. `names`: parts of an answer name their rows.
    `also` are further properties of each row that is written. `jobs`: rows are written by a job, however few; what
    writes is the request that closes it.
    """

    definition: str
    simulator: Callable[[Path], Any]
    object: str = "contacts"
    id_property: str = "email"
    property: str = "tier"
    secret: dict[str, str] = field(default_factory=lambda: {"token": TOKEN})
    judges: bool = True
    refuses: bool = True
    tells: bool = True
    names: bool = False
    also: dict[str, str] = field(default_factory=dict)
    jobs: bool = False


def _http(template: str, simulator: Callable[[Path], Any], **more: Any) -> Kind:
    return Kind(f"kind: http\nurl: https://crm.test\ntemplate: {template}\n", simulator, **more)


def _robot(kind: str, simulator: Callable[[Path], Any]) -> Kind:
    definition = f'kind: {kind}\nmessage: "{{count}} regulars went quiet this week"\n'
    secret = {"token": TOKEN, **({} if kind == "wecom" else {"secret": SIGNING})}
    return Kind(definition, simulator, secret=secret, judges=False, refuses=False)


KINDS: dict[str, Kind] = {
    "hubspot": Kind("", simulators.HubSpot, names=True),
    "hubspot_tasks": Kind(
        "",
        simulators.HubSpotTasks,
        object="tasks",
        id_property="lakehouse_key",
        property="hs_task_subject",
        judges=False,
        names=True,
        also={"hs_timestamp": "2026-03-01T08:00:00Z"},
    ),
    "zoho": _http("zoho_crm", lambda _: simulators.Zoho(), object="Contacts", id_property="Email"),
    "wukong": _http(
        "wukong", lambda _: simulators.Wukong(), object="crmCustomer", id_property="customerName"
    ),
    "own_crm": _http("own_crm", lambda _: simulators.OwnCrm(), tells=False),
    "own_crm_batch": _http("own_crm_batch", lambda _: simulators.OwnCrmBatch(), names=True),
    "sms": _http("sms", lambda _: simulators.Gateway(), property="message", tells=False),
    "email": _http("email", lambda _: simulators.Gateway(), tells=False),
    "ad_audience": _http("ad_audience", lambda _: simulators.Audience(), judges=False, tells=False),
    "webhook": Kind(
        "kind: webhook\nurl: https://crm.test/hook\n",
        lambda _: simulators.Receiver(),
        secret={"secret": SIGNING},
        tells=False,
    ),
    "salesforce": Kind(
        "kind: salesforce\nurl: https://crm.test\n",
        lambda _: SalesforceSimulator(simulators.BAD, simulators.POISON),
        object="Contact",
        id_property="Email__c",
        property="Tier__c",
        secret={"access_token": SalesforceSimulator.token},
    ),
    "salesforce_bulk": Kind(
        "kind: salesforce\nurl: https://crm.test\n",
        lambda _: SalesforceSimulator(simulators.BAD, simulators.POISON),
        object="Contact",
        id_property="Email__c",
        property="Tier__c",
        secret={"access_token": SalesforceSimulator.token},
        refuses=False,
        jobs=True,
    ),
    "wecom_tags": Kind(
        "kind: wecom_tags\n",
        lambda _: WeComSimulator(TOKEN, simulators.BAD, simulators.POISON),
        id_property="external_userid",
        secret={"corpid": CORP, "corpsecret": TOKEN},
    ),
    "wecom_messages": Kind(
        "kind: wecom_messages\nmessage: The new teas are there\n",
        lambda _: WeComSimulator(TOKEN, simulators.BAD, simulators.POISON),
        id_property="external_userid",
        secret={"corpid": CORP, "corpsecret": TOKEN},
    ),
    "dingtalk": _robot("dingtalk", lambda _: simulators.DingTalkGroup()),
    "feishu": _robot("feishu", lambda _: simulators.FeishuGroup()),
    "wecom": _robot("wecom", lambda _: simulators.WeComGroup()),
    "xlsx": Kind("kind: file\nformat: xlsx\n", lambda _: None, judges=False, refuses=False, tells=False),
    "csv": Kind("kind: file\nformat: csv\n", lambda _: None, judges=False, refuses=False, tells=False),
}
ROBOTS, FILES = ("dingtalk", "feishu", "wecom"), ("xlsx", "csv")
SPEAKING = (*ROBOTS, "wecom_messages")
WORLDS = tuple(KINDS)
OVER_HTTP = tuple(name for name in WORLDS if name not in FILES)


class World:
    """A destination that speaks to its simulator over a wire on which faults happen."""

    def __init__(self, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name, self.kind = name, KINDS[name]
        self.files = FaultyFiles(monkeypatch) if name in FILES else None
        self.simulator = self.kind.simulator(folder)
        self.store = None if self.files or "salesforce" not in name else objects_in_memory(monkeypatch)
        salesforce_bulk.forget_settled()
        if self.kind.jobs:
            monkeypatch.setattr(BulkPolicy, "above_rows", 0)
        self.wire = Wire(self.simulator, _is_write)
        self._patch(monkeypatch)
        self.settings = Settings(definitions=folder)
        definitions = folder / "destinations"
        definitions.mkdir(exist_ok=True)
        called = "hubspot" if name.startswith("hubspot") else f"my_{name}"
        if self.kind.definition:
            (definitions / f"{called}.yaml").write_text(f"name: {called}\n{self.kind.definition}", "utf-8")
        self.destination: Destination = open_destination(self.settings, called)
        self.called = called
        for clock, value in (("_unix_time", NOW.timestamp), ("_sleep", lambda _: None)):
            if hasattr(self.destination, clock):
                setattr(self.destination, clock, value)

    def _patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        held = {f"my_{self.name}": self.kind.secret, "token": TOKEN}
        monkeypatch.setattr(credentials, "secret", lambda _: held)
        monkeypatch.setattr(hubspot, "secret", lambda _: held)
        made: dict[str, httpx.Client] = {}

        def open_client(url: str, _inward: str = "", where: str = "") -> httpx.Client:
            transport = PinnedTransport(self.wire, frozenset(), where, lambda *_: [PUBLIC])
            return made.setdefault(url, httpx.Client(base_url=url, transport=transport))

        client.close_clients()
        salesforce.forget_tokens()
        wecom_api.forget_tokens()
        monkeypatch.setattr(client, "_open", open_client)
        monkeypatch.setattr(hubspot_api, "http_client", open_client)

    def chunk(self, rows: Sequence[Row], run: str = "00000001") -> Chunk:
        kind = self.kind
        return Chunk(
            "news",
            run,
            "abc-0001",
            self.called,
            kind.object,
            kind.id_property,
            "marketing",
            "email",
            list(rows),
            removal="close" if kind.object == "tasks" else "clear",
        )

    def row(self, number: int, name: str, value: str = "gold", crm_id: str = "") -> Row:
        properties = {self.kind.property: value, **self.kind.also}
        return Row(number, f"c{number}", name, "upsert", properties, crm_id)

    def leaver(self, number: int, name: str, crm_id: str = "") -> Row:
        return Row(number, f"c{number}", name, "remove", {self.kind.property: ""}, crm_id)

    def send(self, *rows: Row, run: str = "00000001") -> dict[int, Answer]:
        """Send once."""
        return self.destination.send(self.chunk(rows, run), rows)

    def deliver(self, *rows: Row, run: str = "00000001") -> dict[int, Answer]:
        """Send as `publish` does: again after an error, where that does no harm."""
        for _ in range(3):
            try:
                return self.send(*rows, run=run)
            except Transient as error:
                if not (self.destination.idempotent or isinstance(error, NotSent)):
                    raise
        return self.send(*rows, run=run)

    def fail(self, *faults: Fault) -> None:
        """Let faults happen to the next requests."""
        (self.files or self.wire).faults.extend(faults)

    @property
    def asked(self) -> int:
        """Return how many writing requests left."""
        return len(self.files.requests) if self.files else len(self.wire.requests)

    def texts(self) -> str:
        """Return all that left in requests."""
        sent = self.files.requests if self.files else [request.content for request in self.wire.requests]
        return b"\n".join(sent).decode("utf-8", "replace")

    def held(self, name: str) -> str | None:
        """Return the value that the destination holds for somebody, None where it holds nobody."""
        if self.files:
            return self.files.table().get(name)
        if self.name in SPEAKING:
            raise AssertionError("who only takes messages holds nobody")
        key = (
            simulators.hashlib.sha256(name.encode()).hexdigest()
            if self.name == "ad_audience"
            else name.lower()
        )
        record = self.simulator.records.get(key)
        return None if record is None else str(record.get(self.kind.property, ""))

    def holds(self, name: str, value: str = "gold") -> bool:
        """Return whether the destination holds somebody with a value, as far as one can look."""
        if self.name in ROBOTS:
            return bool(self.simulator.messages)
        if self.name in SPEAKING:
            return any(name in reached for _, reached in self.simulator.messages)
        return self.held(name) == ("" if self.name == "ad_audience" else value)

    def times(self, name: str) -> int:
        """Return how often somebody was written."""
        if self.files or self.name in ROBOTS:
            return len(self.files.written) if self.files else len(self.simulator.messages)
        key = (
            simulators.hashlib.sha256(name.encode()).hexdigest()
            if self.name == "ad_audience"
            else name.lower()
        )
        return int(self.simulator.writes[key])

    @property
    def batches(self) -> list[int]:
        if self.kind.jobs:
            return [len(job["_lines"]) for job in self.simulator.bulk.jobs.values()]
        return self.files.sizes() if self.files else self.simulator.batches


def _is_write(request: httpx.Request) -> bool:
    """Return whether a request writes: faults of the wire are for these, and reads go through."""
    path = request.url.path
    if "/jobs/ingest" in path:
        return request.method == "PATCH"
    return request.method != "GET" and not path.endswith(
        ("/queryPageList", "/batch/read", "/oauth2/token", "_tag_list")
    )


class FaultyFiles:
    """Object storage that fails when it is asked to, with the tables that were put into it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = objects_in_memory(monkeypatch)
        self.faults: list[Fault] = []
        self.requests: list[bytes] = []
        self.written: Counter[str] = Counter()
        monkeypatch.setattr("lakehouse.objects.put", self._put)

    def _put(self, bucket: str, key: str, body: bytes, content_type: str = "") -> None:
        fault = self.faults.pop(0) if self.faults else Fault()
        if fault.refused:
            raise EndpointConnectionError(endpoint_url="https://s3.test")
        self.requests.append(body)
        if fault.after or not (fault.lost or fault.status):
            self.store.put(bucket, key, body, content_type)
            self.written[key] += 1
        if fault.lost:
            raise EndpointConnectionError(endpoint_url="https://s3.test")
        if fault.status:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "…"}}, "PutObject")

    def tables(self) -> dict[str, list[list[str]]]:
        """Return the tables by key, as somebody reads them who opens the files."""
        found = {}
        for (_, key), body in sorted(self.store.bodies.items()):
            if key.endswith(".xlsx"):
                found[key] = read_workbook(body)
            else:
                lines = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
                found[key] = [[original(cell) for cell in line] for line in lines]
        return found

    def table(self) -> dict[str, str]:
        """Return what a person who imported every file in turn would have, by id."""
        people: dict[str, str] = {}
        for _, *lines in self.tables().values():
            people |= {line[0]: line[1] for line in lines}
        return people

    def sizes(self) -> list[int]:
        return [len(table) - 1 for table in self.tables().values()]
