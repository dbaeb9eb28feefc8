"""Small CRMs, gateways and robots in memory, each as the documents of its API describe it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections import Counter
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import httpx

from lakehouse.errors import Terminal
from lakehouse.landing.signatures import Request, verify_standard
from lakehouse.local.hubspot.api import CONTACTS, ContactsApi
from lakehouse.local.hubspot.contact_store import ContactStore
from lakehouse.local.hubspot.records_api import OBJECTS, PROPERTIES, PropertiesApi, RecordsApi
from lakehouse.outbound.record_kinds import KEY_PROPERTY

TOKEN = "tok-very-secret-token"
SIGNING = "whsec_" + base64.b64encode(b"signing-secret-of-a-robot").decode()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BAD, POISON = "bad@x", "poison@x.org"  # refused as a row; spoils the request that it is in


class Simulator:
    """What all have: records by id in lower case, how often each was written, and how many rows a request had."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.writes: Counter[str] = Counter()
        self.batches: list[int] = []
        self._ids = count(1)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if TOKEN not in " ".join(request.headers.values()):
            return httpx.Response(401, json={"code": "INVALID_TOKEN", "message": f"wrong {TOKEN}"})
        body = json.loads(request.content) if request.content else {}
        return self.take(request.method, unquote(request.url.path), body, request)

    def take(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError

    def store(self, name: str, values: dict[str, Any]) -> str:
        record = self.records.setdefault(name.lower(), {"_id": str(next(self._ids))})
        record |= values
        for empty in [key for key, value in record.items() if value == ""]:
            del record[empty]
        self.writes[name.lower()] += 1
        return str(record["_id"])

    def of_id(self, number: str) -> str | None:
        return next((name for name, record in self.records.items() if record["_id"] == number), None)


class HubSpot(Simulator):
    """The simulator of the stack, without its server."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._store = ContactStore(folder / "hubspot.sqlite")
        self.api = ContactsApi(self._store)

    def take(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        inputs = body["inputs"]
        if "/batch/read" not in path:
            self.batches.append(len(inputs))
        if any(item["id"] == POISON for item in inputs):
            return httpx.Response(400, json={"category": "VALIDATION_ERROR", "message": POISON})
        answer = self.api.post(path.removeprefix(CONTACTS), body)
        self.writes = Counter(self._store.writes())
        contacts = self._store.page(0, 10_000)
        self.records = {one.properties["email"]: {**one.properties, "_id": one.id} for one in contacts}
        return httpx.Response(answer.status, json=answer.body)


class HubSpotTasks(Simulator):
    """The tasks of the stack's simulator, with the unique property that ties them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        store = ContactStore(folder / "hubspot.sqlite")
        self._properties = PropertiesApi(store)
        self._tasks = RecordsApi(store, self._properties)
        self._store = store
        key = {"name": KEY_PROPERTY, "label": "Key", "type": "string", "fieldType": "text", "groupName": "ours",
               "hasUniqueValue": True}  # fmt: skip
        self._properties.answer("POST", "tasks/groups", {"name": "ours", "label": "Ours"})
        self._properties.answer("POST", "tasks", key)

    def take(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        if path.startswith(PROPERTIES):
            answer = self._properties.answer(method, path.removeprefix(PROPERTIES), body)
            return httpx.Response(answer.status, json=answer.body)
        inputs = body["inputs"]
        keys = [str(item.get("properties", {}).get(KEY_PROPERTY, "")) for item in inputs]
        if path.endswith("/batch/create"):
            self.batches.append(len(inputs))
        if POISON in keys:
            return httpx.Response(400, json={"category": "VALIDATION_ERROR", "message": POISON})
        answer = self._tasks.answer(method, "tasks", path.removeprefix(f"{OBJECTS}tasks"), body, {})
        with self._store.batch():
            found = self._tasks.records.page("tasks", 0, 10_000)
            writes = dict(self._store.connection.execute("SELECT id, writes FROM records").fetchall())
        self.records = {one.properties[KEY_PROPERTY]: {**one.properties, "_id": one.id} for one in found}
        self.writes = Counter({key: writes[int(one["_id"])] for key, one in self.records.items()})
        return httpx.Response(answer.status, json=answer.body)


class Zoho(Simulator):
    """Zoho CRM: upsert by e-mail, update by id, search; parts of an answer have the order of the request."""

    def take(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        if path.endswith("/search"):
            found = re.fullmatch(r"\((\w+):equals:(.*)\)", request.url.params["criteria"])
            name = re.sub(r"\\(.)", r"\1", found[2]).lower() if found else ""
            if name not in self.records:
                return httpx.Response(204)
            return httpx.Response(200, json={"data": [{"id": self.records[name]["_id"]}]})
        rows = body["data"]
        self.batches.append(len(rows))
        if len(rows) > 100 or any(row.get("Email") == POISON for row in rows):
            return httpx.Response(400, json={"code": "INVALID_DATA", "status": "error", "message": "no"})
        write = self._upsert if path.endswith("/upsert") else self._update
        parts = [write(row) for row in rows]
        good = all(part["status"] == "success" for part in parts)
        return httpx.Response(200 if good else 207, json={"data": parts})

    def _upsert(self, row: dict[str, Any]) -> dict[str, Any]:
        if row["Email"] == BAD:
            return {
                "code": "INVALID_DATA",
                "status": "error",
                "message": BAD,
                "details": {"api_name": "Email"},
            }
        return _zoho_success(self.store(row["Email"], row))

    def _update(self, row: dict[str, Any]) -> dict[str, Any]:
        name = self.of_id(row["id"])
        if name is None:
            return {"code": "RECORD_NOT_FOUND", "status": "error", "message": "no", "details": {}}
        return _zoho_success(self.store(name, {key: value for key, value in row.items() if key != "id"}))


def _zoho_success(number: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "status": "success", "message": "done", "details": {"id": number}}


class OwnCrm(Simulator):
    """A record under our id: PUT and DELETE."""

    def take(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        name = path.rsplit("/", 1)[1]
        self.batches.append(1)
        if name in (BAD, POISON):
            return httpx.Response(422, json={"code": "BAD_ADDRESS", "message": name})
        if method == "DELETE":
            return httpx.Response(204 if self.records.pop(name.lower(), None) else 404)
        return httpx.Response(200, json={"id": self.store(name, body["properties"])})


class OwnCrmBatch(Simulator):
    """Many at once; the parts of an answer come in an order of their own and name their rows."""

    def take(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        rows = body["rows"]
        self.batches.append(len(rows))
        if any(row["key"] == POISON for row in rows):
            return httpx.Response(400, json={"code": "BAD_REQUEST"})
        parts = [self._part(row, is_clear=path.endswith("/clear")) for row in rows]
        return httpx.Response(200, json={"results": parts[::-1]})

    def _part(self, row: dict[str, Any], *, is_clear: bool) -> dict[str, Any]:
        name = row["key"].lower()
        if name == BAD:
            return {"key": row["key"], "ok": False, "error": "BAD_ADDRESS"}
        if is_clear and name not in self.records:
            return {"key": row["key"], "ok": False, "error": "NOT_FOUND"}
        return {"key": row["key"], "ok": True, "id": self.store(name, row["properties"])}


class Wukong(Simulator):
    """悟空CRM's web interface: adds what it is told to add, and finds whatever contains a text."""

    def take(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        if path.endswith("/queryPageList"):
            found = [
                {"customerId": record["_id"], "customerName": name}
                for name, record in sorted(self.records.items())
                if body["search"].lower() in name
            ]
            return _wukong(0, {"list": found, "totalRow": len(found)})
        self.batches.append(1)
        entity = body["entity"]
        if path.endswith("/add"):
            if entity["customerName"] in (BAD, POISON):
                return _wukong(2003, None)
            if entity["customerName"].lower() in self.records:
                return _wukong(2002, None)
            return _wukong(0, {"customerId": self.store(entity["customerName"], entity)})
        name = self.of_id(entity["customerId"])
        if name is None:
            return _wukong(2001, None)
        self.store(name, {key: value for key, value in entity.items() if key != "customerId"})
        return _wukong(0, None)


def _wukong(code: int, data: Any) -> httpx.Response:
    return httpx.Response(200, json={"code": code, "msg": "…", "data": data})


class Gateway(Simulator):
    """Messages, one each: whatever comes twice is sent twice."""

    def take(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        self.batches.append(1)
        if body["to"] in (BAD, POISON):
            return httpx.Response(400, json={"code": "BAD_ADDRESS"})
        values = body.get("variables") or {"message": body["text"]}
        return httpx.Response(202, json={"id": self.store(body["to"], values)})


class Audience(Simulator):
    """An ad platform's audience: hashes, and no answer about a single one."""

    def take(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        hashes = [*body.get("add", []), *body.get("remove", [])]
        self.batches.append(len(hashes))
        if hashlib.sha256(POISON.encode()).hexdigest() in hashes:
            return httpx.Response(400, json={"code": "BAD_HASH"})
        for one in body.get("add", []):
            self.store(one, {})
        for one in body.get("remove", []):
            self.records.pop(one, None)
        return httpx.Response(200, json={"received": len(hashes)})


class Receiver(Simulator):
    """Takes webhooks as standardwebhooks.com says: checks them, and keeps the ids that it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def answer(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            name = verify_standard([SIGNING], Request("x", "y", "POST", "", headers, request.content), NOW)
        except Terminal:
            return httpx.Response(401)
        message = json.loads(request.content)
        self.batches.append(1)
        address = message["data"]["email"]
        if address in (BAD, POISON):
            return httpx.Response(400)
        if name not in self.seen:
            self.seen.add(name)
            self.store(address, message["data"]["properties"])
        return httpx.Response(204)


class Group(Simulator):
    """A chat group with a robot; `messages` are what was said in it. Each vendor signs in its own way."""

    success: ClassVar[dict[str, Any]] = {"errcode": 0, "errmsg": "ok"}
    failure: ClassVar[dict[str, Any]] = {"errcode": 310000, "errmsg": f"sign not match {TOKEN}"}

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.batches.append(1)
        if not self.may(request, body):
            return httpx.Response(200, json=self.failure)
        self.messages.append(
            str((body.get("text") or body["content"]).get("content") or body["content"]["text"])
        )
        return httpx.Response(200, json=self.success)

    def may(self, request: httpx.Request, body: dict[str, Any]) -> bool:
        raise NotImplementedError


class DingTalkGroup(Group):
    def may(self, request: httpx.Request, body: dict[str, Any]) -> bool:  # noqa: ARG002
        query = request.url.params
        signed = f"{query.get('timestamp')}\n{SIGNING}".encode()
        sign = base64.b64encode(hmac.new(SIGNING.encode(), signed, "sha256").digest()).decode()
        is_now = query.get("timestamp") == str(int(NOW.timestamp() * 1000))
        return is_now and query.get("access_token") == TOKEN and query.get("sign") == sign


class FeishuGroup(Group):
    success: ClassVar[dict[str, Any]] = {"code": 0, "msg": "success", "data": {}}
    failure: ClassVar[dict[str, Any]] = {
        "code": 19021,
        "msg": "sign match fail or timestamp is not within one hour",
    }

    def may(self, request: httpx.Request, body: dict[str, Any]) -> bool:
        signed = f"{body.get('timestamp')}\n{SIGNING}".encode()
        sign = base64.b64encode(hmac.new(signed, b"", "sha256").digest()).decode()
        is_now = body.get("timestamp") == str(int(NOW.timestamp()))
        return is_now and request.url.path.endswith(f"/hook/{TOKEN}") and body.get("sign") == sign


class WeComGroup(Group):
    failure: ClassVar[dict[str, Any]] = {"errcode": 93000, "errmsg": "invalid webhook url"}

    def may(self, request: httpx.Request, body: dict[str, Any]) -> bool:  # noqa: ARG002
        return request.url.params.get("key") == TOKEN
