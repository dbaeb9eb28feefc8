"""What the HubSpot simulator answers: the contacts API, apart from how it is served."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.local.hubspot.contact_store import BadRow, Conflict, Contact, ContactStore
from lakehouse.local.hubspot.faults import error_body

if TYPE_CHECKING:
    from collections.abc import Callable

CONTACTS = "/crm/v3/objects/contacts"
_BATCH = 100
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON to go with it (None: no body)."""

    status: int
    body: dict[str, Any] | None = None


class Refused(Exception):  # noqa: N818 - an answer that ends the request
    """HubSpot refuses the whole request."""

    def __init__(self, status: int, category: str, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, error_body(category, message))


class ContactsApi:
    """HubSpot's contacts, CRM API v3: batches of at most 100, upsert by e-mail, update by record id."""

    def __init__(self, store: ContactStore) -> None:
        self._store = store
        self._posts: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "/batch/upsert": self._upsert,
            "/batch/update": self._update,
            "/batch/read": self._read,
            "/batch/archive": self._archive,
            "/gdpr-delete": self._forget,
        }

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Answer a POST to `path` under the contacts' own; a refusal is an answer too."""
        handler = self._posts.get(path)
        if handler is None:
            return Answer(404, error_body("OBJECT_NOT_FOUND", "no such endpoint in the simulator"))
        try:
            with self._store.batch():
                return handler(body)
        except Refused as refused:
            return refused.answer
        except Conflict as conflict:
            return Answer(409, error_body("CONFLICT", str(conflict)))

    def get(self, path: str, query: dict[str, str]) -> Answer:
        """Answer a GET: one contact by id or e-mail, or a page of them."""
        names = query["properties"].split(",") if query.get("properties") else None
        if path.strip("/"):
            with self._store.batch():
                found = self._store.find(path.strip("/"), query.get("idProperty"))
            if found is None:
                return Answer(404, error_body("OBJECT_NOT_FOUND", "Object not found"))
            return Answer(200, found.as_json(names))
        limit = min(int(query.get("limit", "10")), _PAGE)
        page = self._store.page(int(query.get("after", "0")), limit + 1)
        body: dict[str, Any] = {"results": [contact.as_json(names) for contact in page[:limit]]}
        if len(page) > limit:
            body["paging"] = {"next": {"after": page[limit - 1].id}}
        return Answer(200, body)

    def _upsert(self, body: dict[str, Any]) -> Answer:
        inputs = _inputs(body)
        for item in inputs:
            if item.get("idProperty") != "email":
                name = item.get("idProperty")
                raise Refused(
                    400, "VALIDATION_ERROR", f"Unable to perform update/upsert by non-unique property {name}"
                )

        def write(item: dict[str, Any]) -> dict[str, Any]:
            contact, new = self._store.upsert(item["id"], _properties(item))
            return {**_written(contact, item), "new": new}

        return _each(inputs, write)

    def _update(self, body: dict[str, Any]) -> Answer:
        inputs = _inputs(body)
        if any("idProperty" in item for item in inputs):
            raise Refused(400, "VALIDATION_ERROR", "Unable to perform update/upsert by non-unique property")

        def write(item: dict[str, Any]) -> dict[str, Any]:
            found = self._store.find(item["id"])
            if found is None:
                raise BadRow("OBJECT_NOT_FOUND", "Could not get some CONTACT objects, they may be deleted")
            return _written(self._store.update(found, _properties(item)), item)

        return _each(inputs, write)

    def _read(self, body: dict[str, Any]) -> Answer:
        ids = [item["id"] for item in _inputs(body)]
        found = {value: self._store.find(value, body.get("idProperty")) for value in ids}
        results = [contact.as_json(body.get("properties")) for contact in found.values() if contact]
        missing = [value for value, contact in found.items() if contact is None]
        errors = (
            [error_body("OBJECT_NOT_FOUND", "Could not get some CONTACT objects", ids=missing)]
            if missing
            else []
        )
        return complete(results, errors, len(missing))

    def _archive(self, body: dict[str, Any]) -> Answer:
        for item in _inputs(body):
            self._store.archive(item["id"])
        return Answer(204)

    def _forget(self, body: dict[str, Any]) -> Answer:
        if found := self._store.find(str(body.get("objectId", "")), body.get("idProperty")):
            self._store.forget(found)
        return Answer(204)


def _inputs(body: dict[str, Any]) -> list[dict[str, Any]]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(
        isinstance(i, dict) and isinstance(i.get("id"), str) for i in inputs
    ):
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON: inputs is a list of objects with an id")
    if len(inputs) > _BATCH:
        raise Refused(
            400, "VALIDATION_ERROR", f"The maximum number of inputs supported in a batch is {_BATCH}"
        )
    if len({item["id"].lower() for item in inputs}) < len(inputs):
        raise Refused(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input. IDs must be unique")
    return inputs


def _properties(item: dict[str, Any]) -> dict[str, str]:
    properties = item.get("properties")
    if not isinstance(properties, dict) or not all(isinstance(v, str) for v in properties.values()):
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON: properties is an object of strings")
    return properties


def _written(contact: Contact, item: dict[str, Any]) -> dict[str, Any]:
    """Return the written contact, with the caller's trace id when there was one."""
    shown = contact.as_json(["email", *item["properties"]])
    trace = item.get("objectWriteTraceId")
    return {**shown, "objectWriteTraceId": trace} if trace else shown


def _each(inputs: list[dict[str, Any]], write: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
    """Write row by row; a bad row becomes an error that names its trace id, the others are written."""
    results, errors = [], []
    for item in inputs:
        try:
            results.append(write(item))
        except BadRow as bad:
            trace = item.get("objectWriteTraceId")
            named = {"objectWriteTraceId": [trace]} if trace else {"ids": [item["id"]]}
            errors.append(error_body("VALIDATION_ERROR", str(bad), bad.code, **named))
    return complete(results, errors, len(errors))


def complete(results: list[dict[str, Any]], errors: list[dict[str, Any]], number: int) -> Answer:
    """Return a batch's answer: 200 when every row was written, 207 when `number` of them were not."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if not errors:
        return Answer(200, body)
    return Answer(207, {**body, "numErrors": number, "errors": errors})
