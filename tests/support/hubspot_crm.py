"""HubSpot's simulator in memory, behind a wire on which faults happen, for its objects, properties and lists."""

from __future__ import annotations

import json

import httpx

from lakehouse.local.hubspot.api import ContactsApi
from lakehouse.local.hubspot.contact_store import ContactStore
from lakehouse.local.hubspot.lists_api import LISTS, ListsApi
from lakehouse.local.hubspot.records_api import OBJECTS, PROPERTIES, PropertiesApi, RecordsApi
from lakehouse.outbound.destinations.hubspot import HubSpot
from lakehouse.outbound.destinations.hubspot_api import Account
from lakehouse.outbound.records import Chunk, Row
from tests.support.destination_wire import Wire

DUE = "2026-03-01T08:00:00+00:00"
NEW = {"hs_task_subject": "Call Ann", "hs_timestamp": DUE, "hs_task_status": "NOT_STARTED"}
BLANK = {name: [""] for name in NEW}
OURS = {name: [value] for name, value in NEW.items()}
TEXT = {"type": "string", "label": "", "group": "lakehouse", "options": (), "declared": False}


class Crm:
    """A HubSpot in memory behind a wire on which faults happen."""

    def __init__(self, folder) -> None:
        self.store = ContactStore(folder / "hubspot.sqlite")
        self.contacts, self.properties = ContactsApi(self.store), PropertiesApi(self.store)
        self.api = RecordsApi(self.store, self.properties)
        self.wire = Wire(
            self, lambda request: "/batch/" in request.url.path and "read" not in request.url.path
        )
        self.lists = ListsApi(self.store)
        self.create: dict | None = {}
        self.removal = "close"

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, body = (
            request.url.path,
            json.loads(request.content or b"{}"),
        )
        if path.startswith(LISTS):
            found = self.lists.answer(request.method, path.removeprefix(LISTS), body)
        elif path.startswith(PROPERTIES):
            found = self.properties.answer(request.method, path.removeprefix(PROPERTIES), body)
        elif path.startswith(f"{OBJECTS}contacts"):
            found = self.contacts.post(path.removeprefix(f"{OBJECTS}contacts"), body)
        else:
            kind, _, rest = path.removeprefix(OBJECTS).partition("/")
            found = self.api.answer(request.method, kind, f"/{rest}", body, {})
        return (
            httpx.Response(found.status, json=found.body)
            if found.body is not None
            else httpx.Response(found.status)
        )

    def send(self, *rows: Row, kind: str = "tasks", key: str = "lakehouse_key", **more):
        said = {"removal": self.removal, "create": self.create, **more}
        chunk = Chunk(
            "calls", "00000001", "abc-0001", "hubspot", kind, key, "none", "email", list(rows), **said
        )
        return HubSpot(Account("http://hubspot.test", "t", "lakehouse/hubspot")).send(chunk, rows)

    def task(self, key: str = "k1", kind: str = "tasks"):
        with self.store.batch():
            return self.api.records.find(kind, key, "lakehouse_key")

    def edit(self, key: str = "k1", **properties: str) -> None:
        with self.store.batch():
            self.api.records.update(self.api.records.find("tasks", key, "lakehouse_key"), properties, ())

    def count(self, kind: str = "tasks") -> int:
        with self.store.batch():
            return len(self.api.records.page(kind))

    def contact(self, email: str, **properties: str) -> str:
        with self.store.batch():
            return self.store.upsert(email, properties)[0].id

    def city(self, email: str) -> str | None:
        with self.store.batch():
            return self.store.find(email, "email").properties.get("city")


def row(
    number: int = 0, key: str = "k1", crm_id: str = "", guards=BLANK, about: str = "", **changed: str
) -> Row:
    properties = {**NEW, **changed}
    return Row(number, "c1", key, "upsert", properties, crm_id, guards=guards, about=about)
