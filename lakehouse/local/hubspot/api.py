"""What the HubSpot simulator answers: the contacts API, apart from how it is served."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from lakehouse.local.hubspot.contact_store import BadRow, Conflict, Contact, ContactStore
from lakehouse.local.hubspot.faults import error_body
from lakehouse.local.hubspot.search import BadSearch, Search, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

CONTACTS = "/crm/v3/objects/contacts"
_MAX_INPUTS: Final = 100  # HubSpot's limit of a batch
_MAX_PAGE: Final = 100  # HubSpot's limit of a page
_DEFAULT_PAGE: Final = 10  # what HubSpot sends where the request names no limit


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON to go with it (None: no body)."""

    status: int
    body: dict[str, Any] | None = None


class Refused(Exception):  # noqa: N818 - an answer that ends the request
    """HubSpot refuses the request, all its rows."""

    def __init__(self, status: int, category: str, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, error_body(category, message))


class ContactsApi:
    """HubSpot's contacts, CRM API v3: batches of at most 100, upsert by e-mail, update by record id."""

    def __init__(self, store: ContactStore) -> None:
        self._store = store
        self.search = Search()
        self._posts: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "/batch/upsert": self._upsert,
            "/batch/update": self._update,
            "/batch/read": self._read,
            "/batch/archive": self._archive,
            "/gdpr-delete": self._forget,
            "/merge": self._merge,
        }

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Answer a POST to `path` under the contacts' own; a refusal is an answer too."""
        if path == "/search":
            return self._search(body)
        handler = self._posts.get(path)
        if handler is None:
            return Answer(
                HTTPStatus.NOT_FOUND, error_body("OBJECT_NOT_FOUND", "no such endpoint in the simulator")
            )
        try:
            with self._store.batch():
                return handler(body)
        except Refused as refused:
            return refused.answer
        except Conflict as conflict:
            return Answer(HTTPStatus.CONFLICT, error_body("CONFLICT", str(conflict)))

    def get(self, path: str, query: dict[str, str]) -> Answer:
        """Answer a GET: one contact by id or e-mail, or a page of them."""
        names = query["properties"].split(",") if query.get("properties") else None
        contact_id = path.strip("/")
        if query.get("archived") == "true":
            return self._get_archived(query, names)
        if contact_id:
            return self._get_contact(contact_id, query.get("idProperty"), names)
        return self._get_page(query, names)

    def _get_contact(self, contact_id: str, id_property: str | None, names: list[str] | None) -> Answer:
        with self._store.batch():
            contact = self._store.find(contact_id, id_property)
        if contact is None:
            return Answer(HTTPStatus.NOT_FOUND, error_body("OBJECT_NOT_FOUND", "Object not found"))
        return Answer(HTTPStatus.OK, contact.as_json(names))

    def _search(self, body: dict[str, Any]) -> Answer:
        try:
            return Answer(HTTPStatus.OK, self.search.find(self._store.all(), body, len(json.dumps(body))))
        except BadSearch as error:
            return Refused(*refusal(error)).answer

    def _get_archived(self, query: dict[str, str], names: list[str] | None) -> Answer:
        limit, after = min(int(query.get("limit", _DEFAULT_PAGE)), _MAX_PAGE), int(query.get("after", "0"))
        found = [(one, at) for one, at in self._store.archived() if int(one.id) > after]
        results = [{**one.as_json(names), "archived": True, "archivedAt": at} for one, at in found[:limit]]
        body: dict[str, Any] = {"results": results}
        if len(found) > limit:
            body["paging"] = {"next": {"after": found[limit - 1][0].id}}
        return Answer(HTTPStatus.OK, body)

    def _get_page(self, query: dict[str, str], names: list[str] | None) -> Answer:
        limit = min(int(query.get("limit", _DEFAULT_PAGE)), _MAX_PAGE)
        contacts = self._store.page(int(query.get("after", "0")), limit + 1)
        body: dict[str, Any] = {"results": [contact.as_json(names) for contact in contacts[:limit]]}
        if len(contacts) > limit:  # one more was asked for than is shown
            body["paging"] = {"next": {"after": contacts[limit - 1].id}}
        return Answer(HTTPStatus.OK, body)

    def _upsert(self, body: dict[str, Any]) -> Answer:
        inputs = batch_inputs(body)
        for item in inputs:
            id_property = item.get("idProperty")
            if id_property != "email":
                raise invalid(f"Unable to perform update/upsert by non-unique property {id_property}")

        def write(item: dict[str, Any]) -> dict[str, Any]:
            contact, new = self._store.upsert(item["id"], string_properties(item))
            return {**_written_contact(contact, item), "new": new}

        return _write_each(inputs, write)

    def _update(self, body: dict[str, Any]) -> Answer:
        inputs = batch_inputs(body)
        if any("idProperty" in item for item in inputs):
            raise invalid("Unable to perform update/upsert by non-unique property")

        def write(item: dict[str, Any]) -> dict[str, Any]:
            contact = self._store.find(item["id"])
            if contact is None:
                raise BadRow("OBJECT_NOT_FOUND", "Could not get some CONTACT objects, they may be deleted")
            return _written_contact(self._store.update(contact, string_properties(item)), item)

        return _write_each(inputs, write)

    def _read(self, body: dict[str, Any]) -> Answer:
        ids = [item["id"] for item in batch_inputs(body)]
        by_id = {value: self._store.find(value, body.get("idProperty")) for value in ids}
        results = [contact.as_json(body.get("properties")) for contact in by_id.values() if contact]
        missing = [value for value, contact in by_id.items() if contact is None]
        errors = []
        if missing:
            errors = [error_body("OBJECT_NOT_FOUND", "Could not get some CONTACT objects", ids=missing)]
        return complete(results, errors, len(missing))

    def _archive(self, body: dict[str, Any]) -> Answer:
        for item in batch_inputs(body):
            self._store.archive(item["id"])
        return Answer(HTTPStatus.NO_CONTENT)

    def _merge(self, body: dict[str, Any]) -> Answer:
        primary = self._store.find(str(body.get("primaryObjectId", "")))
        other = self._store.find(str(body.get("objectIdToMerge", "")))
        if primary is None or other is None or primary.id == other.id:
            raise invalid("Unable to merge: two different contacts are needed")
        return Answer(HTTPStatus.OK, self._store.merge(primary, other).as_json())

    def _forget(self, body: dict[str, Any]) -> Answer:
        contact = self._store.find(str(body.get("objectId", "")), body.get("idProperty"))
        if contact is not None:
            self._store.forget(contact)
        return Answer(HTTPStatus.NO_CONTENT)


def batch_inputs(body: dict[str, Any], *, needs_id: bool = True) -> list[dict[str, Any]]:
    """Return a batch's inputs; `Refused` as HubSpot refuses them."""
    inputs = body.get("inputs")
    is_fit = _has_id if needs_id else _is_object
    if not isinstance(inputs, list) or not all(is_fit(item) for item in inputs):
        raise invalid("Invalid input JSON: inputs is a list of objects with an id")
    if len(inputs) > _MAX_INPUTS:
        raise invalid(f"The maximum number of inputs supported in a batch is {_MAX_INPUTS}")
    distinct_ids = {item["id"].lower() for item in inputs} if needs_id else set()
    if needs_id and len(distinct_ids) < len(inputs):
        raise invalid("Duplicate IDs found in batch input. IDs must be unique")
    return inputs


def _has_id(item: Any) -> bool:
    return _is_object(item) and isinstance(item.get("id"), str)


def _is_object(item: Any) -> bool:
    return isinstance(item, dict)


def string_properties(item: dict[str, Any]) -> dict[str, str]:
    """Return the properties of one input; `Refused` where they are no object of strings."""
    properties = item.get("properties")
    if not isinstance(properties, dict) or not all(isinstance(v, str) for v in properties.values()):
        raise invalid("Invalid input JSON: properties is an object of strings")
    return properties


def invalid(message: str) -> Refused:
    """Return the refusal of a request that is not valid."""
    return Refused(HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR", message)


def _written_contact(contact: Contact, item: dict[str, Any]) -> dict[str, Any]:
    """Return the written contact, with the caller's trace id when there was one."""
    shown = contact.as_json(["email", *item["properties"]])
    trace = item.get("objectWriteTraceId")
    return {**shown, "objectWriteTraceId": trace} if trace else shown


def _write_each(inputs: list[dict[str, Any]], write: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
    """Write row by row; a bad row becomes an error that names its trace id, the others are written."""
    results, errors = [], []
    written: set[str] = set()
    for item in inputs:
        try:
            results.append(write(item))
            if results[-1]["id"] in written:
                raise invalid("Duplicate IDs found in batch input. IDs must be unique")
            written.add(results[-1]["id"])
        except BadRow as bad:
            trace = item.get("objectWriteTraceId")
            context = {"objectWriteTraceId": [trace]} if trace else {"ids": [item["id"]]}
            errors.append(error_body("VALIDATION_ERROR", str(bad), bad.code, **context))
    return complete(results, errors, len(errors))


def complete(results: list[dict[str, Any]], errors: list[dict[str, Any]], failed_rows: int) -> Answer:
    """Return a batch's answer: 200 when every row was written, 207 when some were not."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if not errors:
        return Answer(HTTPStatus.OK, body)
    return Answer(HTTPStatus.MULTI_STATUS, {**body, "numErrors": failed_rows, "errors": errors})
