"""A small company that publishes to a HubSpot: its people, its queue, its workers, and what goes wrong, by a seed.

Everything runs in one process and at one clock. Where a worker talks to the CRM, anything else may happen in between:
another worker, another planner, a person who withdraws, somebody who edits the CRM.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import stamina

from lakehouse.errors import LakehouseError
from lakehouse.local.hubspot.api import CONTACTS, ContactsApi
from lakehouse.local.hubspot.contact_store import ContactStore
from lakehouse.local.hubspot.records_api import OBJECTS
from lakehouse.outbound import closing, fold, log, planner
from lakehouse.outbound.deliver import deliver
from lakehouse.outbound.delivery_counts import sync_status
from lakehouse.outbound.destinations import hubspot_api
from lakehouse.outbound.destinations.hubspot import HubSpot
from lakehouse.outbound.destinations.hubspot_api import Account
from lakehouse.outbound.planner import Request
from lakehouse.outbound.records import Desired
from lakehouse.privacy import consent
from lakehouse.privacy.consent import Grants
from lakehouse.settings import Settings
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC

if TYPE_CHECKING:
    import random
    from pathlib import Path

    import pytest

    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.planner import Planned
    from lakehouse.outbound.records import Chunk, Row

NAMES = "abcdef"
ADDRESSES = tuple(f"{name}{number}@x.org" for name in NAMES for number in (1, 2))
CHUNK_ROWS = 2


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


@dataclass
class Person:
    """What is true of one customer, and what the lake knows of it."""

    name: str
    address: str
    selected: bool = True
    value: str = "v0"
    consents: bool = True
    known_consents: bool = True  # the lake's answer, which the gate is ahead of
    control: bool = False


@dataclass
class World:
    """One sync, whose story a seed tells."""

    chance: random.Random
    folder: Path
    patch: pytest.MonkeyPatch
    now: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)
    version: int = 0
    queue: list[tuple[str, str, str]] = field(default_factory=list)
    trouble: float = 0.3  # share of the CRM's answers that go wrong
    depth: int = 0
    told: list[str] = field(default_factory=list)
    sent_after_refusal: list[str] = field(default_factory=list)
    edits: int = 0  # of the CRM, by hand
    syncs: tuple[Sync, ...] = (SYNC,)
    patience: int = 40  # looks until it has to be at rest
    waits_for_moments: bool = False

    def __post_init__(self) -> None:
        """Put the company together, and one seam where the chance comes in."""
        self.people = {name: Person(name, f"{name}1@x.org") for name in NAMES}
        self.settings = Settings(ops_bucket="ops", scratch=self.folder)
        self.objects = objects_in_memory(self.patch)
        self.crm = ContactStore(self.folder / "crm.sqlite")
        self.api = ContactsApi(self.crm)
        self.destination = HubSpot(Account("http://hubspot.test", "t", "s"))
        client = httpx.Client(base_url="http://hubspot.test", transport=httpx.MockTransport(self._answer))
        self.patch.setattr(hubspot_api, "http_client", lambda _: client)
        self.patch.setattr(planner, "announce", self._announce)
        self.patch.setattr(planner, "batch_limit", lambda *_: CHUNK_ROWS)
        self.patch.setattr(consent, "generation", lambda *_: f"g{self.version}")
        self.patch.setattr(consent, "grants", self._grants)
        self.patch.setattr(closing.time, "sleep", lambda _: None)
        self.patch.setattr(closing.DeliveryPolicy, "closing_seconds", 0.0)
        real = self.destination.send

        def send(chunk: Any, rows: Any) -> Any:
            for row in rows:  # asked for just before: a refusal that the gate knows of lets nothing through
                self.note_send(chunk, row)
                if row.action == "upsert" and not self.allows(*row.recipient):
                    self.sent_after_refusal.append(row.id)
            return real(chunk, rows)

        self.patch.setattr(self.destination, "send", send)

    # what the others see

    def allows(self, customer: str, address: str) -> bool:
        person = self.people[customer]
        return person.consents and person.address == address

    def desired(self, _sync: Sync) -> list[Desired]:
        return [
            Desired(p.name, p.address, {"tier": p.value}, consented=p.known_consents)
            for p in self.people.values()
            if p.selected
        ]

    def note_send(self, chunk: Chunk, row: Row) -> None:
        """Look at a row that is about to leave."""

    def _grants(self, _settings: Any, recipients: Any, *_: Any) -> Grants:
        return Grants({who: f"consent-{who[0]}" for who in recipients if self.allows(*who)})

    def _announce(self, _settings: Any, run: Any, claims: Any, _now: Any) -> None:
        for name in claims:
            for _ in range(self.chance.choice((0, 1, 1, 1, 2))):  # lost, or twice
                self.queue.append((run.sync, run.run, name))
            self._maybe_killed()

    # the CRM's side of the wire

    def _answer(self, request: httpx.Request) -> httpx.Response:  # noqa: PLR0911 - a fault each
        self.meanwhile()
        path = request.url.path
        body = json.loads(request.content) if request.content else {}
        if request.method == "GET" or not path.startswith(OBJECTS):
            return self._carry_out(path, body, request.method)
        if self.chance.random() >= self.trouble:
            return self._carry_out(path, body)
        match self.chance.choice(
            ("429", "500 before", "500 after", "dropped", "unreachable", "html", "409", "mixed")
        ):
            case "429":
                return httpx.Response(429, headers={"Retry-After": "0"})
            case "500 before":
                return httpx.Response(500)
            case "500 after":
                self._carry_out(path, body)
                return httpx.Response(500)
            case "dropped":
                self._carry_out(path, body)
                raise httpx.ReadError("the answer was lost")
            case "unreachable":
                raise httpx.ConnectError("nobody there")
            case "html":
                self._carry_out(path, body)
                return httpx.Response(502, text="<html>Bad gateway</html>")
            case "409":
                return httpx.Response(409, json={"category": "CONFLICT"})
            case _:
                return self._mixed(path, body)

    def _carry_out(self, path: str, body: dict[str, Any], _method: str = "POST") -> httpx.Response:
        answer = self.api.post(path.removeprefix(CONTACTS), body)
        return httpx.Response(answer.status, json=answer.body)

    def _mixed(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Carry out a part, and name in a 207 only what failed, or what was written; a read is answered whole."""
        if path.endswith(("/batch/read", "/batch/archive")):
            return self._carry_out(path, body)
        cut = self.chance.randint(0, len(body["inputs"]))
        done, left = body["inputs"][:cut], body["inputs"][cut:]
        answered = self._carry_out(path, {"inputs": done}) if done else None
        if answered is not None and not answered.is_success:  # it was refused as a whole
            return answered
        results = answered.json() if answered is not None else {"results": []}
        errors = [
            {"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": [item["objectWriteTraceId"]]}}
            for item in left
        ]
        if self.chance.random() < 0.3:
            errors = errors[:-1]
        return httpx.Response(207, json={"results": results.get("results", []), "errors": errors})

    # what may happen at any time

    def meanwhile(self) -> None:
        """Let something else happen while somebody waits for an answer; not without end."""
        if self.trouble and self.depth < 2 and self.chance.random() < 0.15:
            self.depth += 1
            try:
                self.step()
            finally:
                self.depth -= 1
        self._maybe_killed()

    def _maybe_killed(self) -> None:
        if self.trouble and self.chance.random() < 0.02:
            raise Killed

    def step(self) -> None:
        """Do one thing that the chance picks."""
        kinds = ("look", "look", "work", "work", "work", "work", "life", "life", "crm", "minutes", "lease")
        kind = self.chance.choice(kinds)
        self.told.append(kind)
        getattr(self, f"_{kind}")()

    def _look(self) -> None:
        with _Survived():
            self.plan(self.syncs[0] if len(self.syncs) == 1 else self.chance.choice(self.syncs))

    def plan(self, sync: Sync) -> Planned:
        """Look once at what a sync has to send."""
        inputs = {"version": str(self.version)}
        request = Request(sync, inputs, lambda: self.desired(sync), may_brake=False)
        return planner.plan(self.settings, request, self.now)

    def _work(self) -> None:
        if not self.queue:
            return
        message = self.queue.pop(self.chance.randrange(len(self.queue)))
        with _Survived(), stamina.set_testing(True, attempts=3, cap=True):
            self.deliver(*message)
            return
        if self.chance.random() < 0.7:
            self.queue.append(message)

    def _life(self) -> None:
        person = self.people[self.chance.choice(NAMES)]
        match self.chance.choice(("selected", "value", "withdraws", "consents", "moves", "takes")):
            case "selected":
                person.selected = not person.selected
            case "value":
                person.value = f"v{self.chance.randint(0, 3)}"
            case "withdraws":  # the gate knows at once, the lake somewhat later
                person.consents = False
            case "consents":
                person.consents = True
            case "moves":
                person.address = f"{person.name}{self.chance.randint(1, 2)}@x.org"
            case "takes":
                person.address = self.chance.choice(ADDRESSES)
        if self.chance.random() < 0.5:
            self.learn()

    def learn(self) -> None:
        """Let the lake know what is true: the inputs have moved."""
        self.version += 1
        for person in self.people.values():
            person.known_consents = person.consents

    def _crm(self) -> None:
        """Edit the CRM by hand: rename, delete or merge a contact whose record we know; add an address to it."""
        under_way = (
            self._under_way()
        )  # a record that nobody has told us of is not found once its address is changed
        known = [
            held.crm_id
            for address, held in fold.state_of(self.settings, self.syncs[0].name).acknowledged.items()
            if held.crm_id and not held.uncertain and address not in under_way
        ]
        if not known:
            return
        with self.crm.batch():
            contact = self.crm.find(self.chance.choice(known))
            other = self.crm.find(self.chance.choice(known))
            if contact is None or other is None:
                return
            self.edits += 1
            free = [a for a in (*ADDRESSES, "z1@x.org", "z2@x.org") if self.crm.find(a, "email") is None]
            match self.chance.choice(("rename", "forget", "merge", "secondary")):
                case "rename" if free:
                    self.crm.update(contact, {"email": self.chance.choice(free)})
                case "secondary" if free:
                    self.crm.add_secondary(contact, self.chance.choice(free))
                case "forget":
                    self.crm.forget(contact)
                case "merge" if contact.id != other.id:
                    self.crm.merge(contact, other)

    def _under_way(self) -> set[str]:
        """Return the addresses in the open chunks of the latest run."""
        standing = fold.standing(self.settings, self.syncs[0].name)
        if standing.latest is None:
            return set()
        run = standing.latest.run
        chunks = [log.chunk(self.settings, self.syncs[0].name, run, name) for name in standing.open_chunks]
        return {row.id for chunk in chunks for row in chunk.rows}

    def _minutes(self) -> None:
        self.now += timedelta(minutes=self.chance.choice((1, 5, 20)))

    def _lease(self) -> None:
        self.now += timedelta(hours=self.chance.choice((1, 7, 25)))

    # the end

    def settle(self) -> None:
        """Let trouble end and everything be looked at and delivered until nothing is left to do."""
        self.trouble = 0.0
        self.learn()
        for _ in range(self.patience):
            self.now += timedelta(minutes=20)
            planned = [self.plan(sync) for sync in self.syncs]
            while self.queue:
                self.deliver(*self.queue.pop(0))
            if all(each.run is None for each in planned):
                due = [each.due for each in planned if each.due is not None]
                if not due or not self.waits_for_moments:
                    return
                self.now = max(self.now, min(due))
        raise AssertionError("it does not come to rest")

    def deliver(self, *message: str) -> None:
        """Deliver a chunk now."""
        deliver(self.settings, *message, self.now, self.destination)

    def write_everybody_anew(self) -> None:
        """Let everything that is wanted be something else, so that what was edited by hand is written, too."""
        for person in self.people.values():
            person.value = f"new {person.value}"

    # the plain reading

    def wanted(self) -> dict[str, set[str]]:
        """Return by address what the CRM may hold: of several customers with one address, the smallest name's."""
        found: dict[str, set[str]] = {}
        for name in sorted(self.people):
            person = self.people[name]
            if person.selected and person.address not in found:
                found[person.address] = {person.value} if person.consents and not person.control else set()
        return {address: values for address, values in found.items() if values}

    def held(self) -> dict[str, str]:
        """Return what stands in our property of each contact, by record id."""
        return {
            contact.id: contact.properties["tier"]
            for contact in self.crm.page(0, 1000)
            if contact.properties.get("tier")
        }

    def check(self) -> None:
        """Compare the CRM at rest with what is wanted, and our state and books with both."""
        by_record: dict[str, set[str]] = {}
        with self.crm.batch():
            for address, values in self.wanted().items():
                contact = self.crm.find(address, "email")
                assert contact is not None, f"nobody at {address}"
                by_record.setdefault(contact.id, set()).update(values)
        held = self.held()
        assert held.keys() == by_record.keys(), (held, by_record)
        assert all(value in by_record[record] for record, value in held.items()), (held, by_record)
        assert not self.sent_after_refusal
        self.check_books()

    def check_books(self) -> None:
        """The state is what the log says, and everybody who was selected is accounted for."""
        assert fold.check(self.settings, self.syncs[0].name)
        counts = sync_status(self.settings, self.syncs[0].name)
        assert counts is None or counts["balanced"], counts

    def check_known(self) -> None:
        """Everybody whom the CRM holds by us is in our state, or in a chunk that is still open."""
        state = fold.state_of(self.settings, self.syncs[0].name)
        names = set(state.acknowledged)
        records = {held.crm_id for held in state.acknowledged.values()} | set(state.strays)
        standing = fold.standing(self.settings, self.syncs[0].name)
        if standing.latest is not None:
            for name in standing.latest.chunk_ids() if standing.open_chunks else ():
                for row in log.chunk(self.settings, self.syncs[0].name, standing.latest.run, name).rows:
                    names.add(row.id)
                    records.add(row.crm_id)
        with self.crm.batch():
            by_name = [self.crm.find(name, "email") for name in names]
            found = by_name + [self.crm.find(record) for record in records if record]
        unknown = self.held().keys() - {contact.id for contact in found if contact is not None}
        assert not unknown, f"the CRM holds {unknown}, and nobody knows"


class _Survived:
    """Swallow what ends a worker or a planner, but nothing that a test would fail by."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, LakehouseError | Killed)
