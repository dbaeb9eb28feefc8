"""A Salesforce organisation in memory: tokens, collections, queries, as its documents describe them."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import count, pairwise
from typing import Any
from urllib.parse import parse_qs

import httpx

from tests.support.salesforce_bulk_simulator import BulkJobs, error

_QUERY = re.compile(r"SELECT Id, (\w+) FROM (\w+) WHERE \1 IN \((.*)\)", re.DOTALL)
_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")


_CHANGED = re.compile(
    r"SELECT ([\w, ]+) FROM (\w+) WHERE SystemModstamp >=? (?P<from>[\d:.TZ-]+)"
    r"(?: OR \(SystemModstamp = (?P<at>[\d:.TZ-]+) AND Id > '(?P<id>\w+)'\))?"
    r" ORDER BY SystemModstamp ASC, Id ASC LIMIT (?P<limit>\d+)"
)


class SalesforceSimulator:
    """Contacts by their external id. `rejected` fails as a row, `poison` fails the request that it is in."""

    token = "00D-access-token-secret"
    fields = frozenset({"Email__c", "Tier__c", "Note__c", "LastName"})

    def __init__(self, rejected: str = "", poison: str = "") -> None:
        self.rejected, self.poison = rejected, poison
        self.records: dict[str, dict[str, Any]] = {}
        self.writes: Counter[str] = Counter()
        self.batches: list[int] = []
        self.valid_tokens = {self.token}
        self.tokens_given = 0
        self._ids = count(1)
        self.page = 2_000  # records of one answer of a query
        self._pages: dict[str, httpx.Response] = {}
        self.bulk = BulkJobs(self)
        self.locked: Counter[str] = (
            Counter()
        )  # how many writes of a record find somebody else at it, by external id
        self.alerts: set[str] = set()  # external ids, in lower case, of which a rule warns
        self._is_warned = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.rstrip("/")  # simple-salesforce ends some of its paths so
        if path == "/services/oauth2/token":
            return self._give_token(request)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid_tokens:
            return error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if "/jobs/ingest" in path:
            return self.bulk.answer(request.method, path, request)
        if request.method == "GET":
            return self._get(path, request.url.params.get("q", ""))
        if request.method == "PATCH":
            found = re.fullmatch(r"/services/data/v\d+\.\d/composite/sobjects(?:/(\w+)/(\w+))?", path)
            if found:
                self._is_warned = request.headers.get("Sforce-Duplicate-Rule-Header") == "allowSave=true"
                return self._write(json.loads(request.content), found[2])
        return error(404, "NOT_FOUND", "The requested resource does not exist")

    def _get(self, path: str, query: str) -> httpx.Response:
        if path.endswith("/describe"):
            always = ("Id", "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp")
            fields = [{"name": name} for name in (*sorted(self.fields), *always)]
            return httpx.Response(200, json={"fields": fields})
        if path.endswith("/queryAll"):
            return self._query_all(query)
        if path.endswith("/query"):
            return self._query(query)
        following = self._pages.pop(path.rpartition("/")[2], None)
        return following or error(404, "NOT_FOUND", "The requested resource does not exist")

    def _give_token(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        if form.get("client_secret") != ["app-secret"] or form.get("grant_type") != ["client_credentials"]:
            return httpx.Response(
                400, json={"error": "invalid_client", "error_description": "invalid client"}
            )
        self.tokens_given += 1
        token = f"{self.token}-{self.tokens_given}"
        self.valid_tokens = {token}
        return httpx.Response(200, json={"access_token": token, "instance_url": "https://crm.test"})

    def _query(self, query: str) -> httpx.Response:
        found = _QUERY.fullmatch(query)
        if not found:
            return error(400, "MALFORMED_QUERY", "unexpected token")
        names = {re.sub(r"\\(.)", r"\1", text).lower() for text in _TEXT.findall(found[3])}
        rows = [
            {"attributes": {"type": found[2]}, "Id": record["Id"], found[1]: record[found[1]]}
            for record in self.records.values()
            if str(record.get(found[1], "")).lower() in names
        ]
        return httpx.Response(200, json={"totalSize": len(rows), "done": True, "records": rows})

    def _query_all(self, query: str) -> httpx.Response:
        """Answer a query by SystemModstamp, the recycle bin with it, in pages that name the next."""
        found = _CHANGED.fullmatch(query)
        if not found:
            return error(400, "MALFORMED_QUERY", "unexpected token")
        names = found[1].split(", ")
        is_open = found["at"] is not None

        def fits(record: dict[str, Any]) -> bool:
            stamp = record["SystemModstamp"].replace("+0000", "Z")
            return (stamp > found["from"] if is_open else stamp >= found["from"]) or (
                is_open and stamp == found["at"] and record["Id"] > found["id"]
            )

        rows = sorted(
            (record for record in self.records.values() if fits(record)),
            key=lambda record: (record["SystemModstamp"], record["Id"]),
        )[: int(found["limit"])]
        shown = [
            {"attributes": {"type": found[2]}, **{name: row.get(name) for name in names}} for row in rows
        ]
        parts = [shown[at : at + self.page] for at in range(0, len(shown), self.page)] or [[]]
        answers = []
        for number, part in enumerate(parts):
            following = f"01g{next(self._ids):015d}-{number}"
            body: dict[str, Any] = {
                "totalSize": len(shown),
                "done": number == len(parts) - 1,
                "records": part,
            }
            if not body["done"]:
                body["nextRecordsUrl"] = f"/services/data/v62.0/query/{following}"
            answers.append((following, httpx.Response(200, json=body)))
        for (following, _), (_, answer) in pairwise(answers):
            self._pages[following] = answer
        return answers[0][1]

    def _write(self, body: dict[str, Any], external: str | None) -> httpx.Response:
        records = body["records"]
        self.batches.append(len(records))
        if len(records) > 200:
            return error(400, "EXCEEDED_MAX_SIZE_REQUEST", "record limit reached")
        for record in records:
            unknown = set(record) - self.fields - {"attributes", "id"}
            if unknown:
                return error(
                    400, "INVALID_FIELD", f"No such column '{min(unknown)}' on sobject of type Contact"
                )
            if external and record[external] == self.poison:
                return error(400, "JSON_PARSER_ERROR", f"{record[external]} is wrong")
        names = Counter(str(record[external]).lower() for record in records) if external else Counter()
        return httpx.Response(200, json=[self._write_one(record, external, names) for record in records])

    def _write_one(self, record: dict[str, Any], external: str | None, names: Counter[str]) -> dict[str, Any]:
        values = {name: value for name, value in record.items() if name not in ("attributes", "id")}
        if external is None:
            found = next((one for one in self.records.values() if one["Id"] == record["id"]), None)
            if found is None:
                return _failure("ENTITY_IS_DELETED")
            if refused := self._refusal(str(found.get("Email__c", "")).lower()):
                return _failure(refused)
            return self._store(found, values, created=False)
        return self.upsert_one(record[external], external, values, names)

    def upsert_one(
        self, given: Any, external: str, values: dict[str, Any], names: Counter[str]
    ) -> dict[str, Any]:
        """Write one record by its external id; `names` says how often each stands in the request."""
        name = str(given).lower()
        if names[name] > 1:
            return _failure("DUPLICATE_VALUE")
        if given == self.rejected:
            return _failure("FIELD_CUSTOM_VALIDATION_EXCEPTION")
        if refused := self._refusal(name):
            return _failure(refused)
        values = {**values, external: given}
        created = name not in self.records
        found = self.records.setdefault(name, {"Id": f"003{next(self._ids):015d}"})
        return self._store(found, values, created=created)

    def _refusal(self, name: str) -> str:
        if self.locked[name] > 0:
            self.locked[name] -= 1
            return "UNABLE_TO_LOCK_ROW"
        return "DUPLICATES_DETECTED" if name in self.alerts and not self._is_warned else ""

    def _store(self, found: dict[str, Any], values: dict[str, Any], *, created: bool) -> dict[str, Any]:
        found |= values
        for name in [name for name, value in found.items() if value is None]:
            del found[name]
        self.writes[str(found.get("Email__c", "")).lower()] += 1
        return {"id": found["Id"], "success": True, "created": created, "errors": []}


def _failure(code: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": "no", "fields": []}]}
