"""What the HubSpot simulator answers of tasks, tickets and notes, and of properties: CRM API v3."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from lakehouse.local.hubspot.api import Answer, Refused, batch_inputs, complete, invalid, string_properties
from lakehouse.local.hubspot.faults import error_body
from lakehouse.local.hubspot.object_properties import DEFINED, REQUIRED, BadValueError, Property, stored_value
from lakehouse.local.hubspot.record_store import Record, RecordStore, TakenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.local.hubspot.contact_store import ContactStore

OBJECTS: Final = "/crm/v3/objects/"
PROPERTIES: Final = "/crm/v3/properties/"
KINDS: Final = ("tasks", "tickets", "notes")
_TO_CONTACT: Final = {"tasks": 204, "tickets": 16, "notes": 202}
_TYPES: Final = frozenset({"string", "number", "date", "datetime", "enumeration", "bool"})
_FIELD_TYPES: Final = frozenset(
    {"text", "textarea", "number", "date", "select", "radio", "checkbox", "booleancheckbox", "phonenumber"}
)


class PropertiesApi:
    """The properties of objects: those that HubSpot defines, and those that were made."""

    def __init__(self, store: ContactStore) -> None:
        self._store = store
        self._records = RecordStore(store.connection)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        """Answer a request to `path` below `PROPERTIES`."""
        kind, _, rest = path.partition("/")
        if kind not in DEFINED:
            return Answer(HTTPStatus.NOT_FOUND, error_body("OBJECT_NOT_FOUND", "no such object type"))
        try:
            with self._store.batch():
                return self._answer(method, kind, rest.strip("/"), body)
        except Refused as refused:
            return refused.answer

    def known(self, kind: str) -> dict[str, Property]:
        """Return the properties of an object by name; inside `batch`."""
        made = {
            name: Property(
                name,
                said["type"],
                tuple(option["value"] for option in said.get("options") or ()),
                bool(said.get("hasUniqueValue")),
                said,
            )
            for name, said in self._records.properties(kind).items()
        }
        return {**DEFINED[kind], **made}

    def _answer(self, method: str, kind: str, rest: str, body: dict[str, Any]) -> Answer:
        if method == "GET" and not rest:
            results = [each.as_json() for each in self.known(kind).values()]
            return Answer(HTTPStatus.OK, {"results": results})
        if rest == "groups":
            return self._groups(method, kind, body)
        if method == "GET":
            found = self.known(kind).get(rest)
            if found is None:
                return Answer(HTTPStatus.NOT_FOUND, error_body("OBJECT_NOT_FOUND", "no such property"))
            return Answer(HTTPStatus.OK, found.as_json())
        if method == "POST" and not rest:
            return self._make(kind, body)
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, error_body("METHOD_NOT_ALLOWED", "not in the simulator"))

    def _groups(self, method: str, kind: str, body: dict[str, Any]) -> Answer:
        made = self._records.groups(kind)
        if method == "GET":
            groups = {f"{kind.rstrip('s')}information": "Standard", **made}
            results = [{"name": name, "label": label, "archived": False} for name, label in groups.items()]
            return Answer(HTTPStatus.OK, {"results": results})
        name, label = body.get("name"), body.get("label")
        if not isinstance(name, str) or not isinstance(label, str) or not name or not label:
            raise invalid("a group has a name and a label")
        if name in made:
            raise Refused(HTTPStatus.CONFLICT, "OBJECT_ALREADY_EXISTS", "there is a group of that name")
        self._records.make_group(kind, name, label)
        return Answer(
            HTTPStatus.CREATED, {"name": name, "label": label, "displayOrder": -1, "archived": False}
        )

    def _make(self, kind: str, body: dict[str, Any]) -> Answer:
        for name in ("name", "label", "type", "fieldType", "groupName"):
            if not isinstance(body.get(name), str) or not body[name]:
                raise invalid(f"{name} must be given")
        if body["type"] not in _TYPES or body["fieldType"] not in _FIELD_TYPES:
            raise invalid("Invalid type or fieldType")
        if body["name"] != body["name"].lower() or not body["name"].replace("_", "").isalnum():
            raise invalid("Property names have lower-case letters, digits and underscores")
        if body["type"] == "enumeration" and not body.get("options"):
            raise invalid("Options are required of an enumeration")
        if body["groupName"] not in self._records.groups(kind):
            raise invalid(f"Property group {body['groupName']} does not exist")
        if body["name"] in self.known(kind):
            message = f"A property named '{body['name']}' already exists."
            raise Refused(HTTPStatus.CONFLICT, "OBJECT_ALREADY_EXISTS", message)
        self._records.make_property(kind, body)
        return Answer(HTTPStatus.CREATED, self.known(kind)[body["name"]].as_json())


class RecordsApi:
    """Tasks, tickets and notes: batches of at most 100, created with associations, found by id or a unique property."""

    def __init__(self, store: ContactStore, properties: PropertiesApi) -> None:
        self._store, self._properties = store, properties
        self.records = RecordStore(store.connection)
        self._posts: dict[str, Callable[[str, dict[str, Any]], Answer]] = {
            "": self._create_one,
            "/batch/create": self._create,
            "/batch/update": self._update,
            "/batch/read": self._read,
            "/batch/archive": self._archive,
        }

    def answer(
        self, method: str, kind: str, path: str, body: dict[str, Any], query: dict[str, str]
    ) -> Answer:
        """Answer a request to `path` below an object's own; a refusal is an answer, and undoes the whole request."""
        try:
            with self._store.batch():
                if method == "GET":
                    return self._get(kind, path.strip("/"), query)
                handler = self._posts.get(path) if method == "POST" else None
                if handler is None:
                    message = "no such endpoint in the simulator"
                    return Answer(HTTPStatus.NOT_FOUND, error_body("OBJECT_NOT_FOUND", message))
                return handler(kind, body)
        except Refused as refused:
            return refused.answer
        except TakenError as taken:
            message = f"Property values were not valid: another object has that value of {taken}"
            return Answer(
                HTTPStatus.BAD_REQUEST, error_body("VALIDATION_ERROR", message, "CONFLICTING_UNIQUE_VALUE")
            )
        except BadValueError as bad:
            return Answer(
                HTTPStatus.BAD_REQUEST, error_body("VALIDATION_ERROR", f'{bad} "{bad.code}"', bad.code)
            )

    def _get(self, kind: str, record_id: str, query: dict[str, str]) -> Answer:
        names = query["properties"].split(",") if query.get("properties") else None
        if not record_id:
            results = [
                each.as_json(names) for each in self.records.page(kind, int(query.get("after", "0")), 100)
            ]
            return Answer(HTTPStatus.OK, {"results": results})
        found = self.records.find(kind, record_id, query.get("idProperty"))
        if found is None:
            return Answer(HTTPStatus.NOT_FOUND, error_body("OBJECT_NOT_FOUND", "Object not found"))
        return Answer(HTTPStatus.OK, found.as_json(names))

    def _create_one(self, kind: str, body: dict[str, Any]) -> Answer:
        return Answer(HTTPStatus.CREATED, self._made(kind, body).as_json())

    def _create(self, kind: str, body: dict[str, Any]) -> Answer:
        inputs = batch_inputs(body, needs_id=False)
        made = complete([_traced(self._made(kind, item), item) for item in inputs], [], 0)
        return Answer(HTTPStatus.CREATED, made.body)

    def _made(self, kind: str, item: dict[str, Any]) -> Record:
        known = self._properties.known(kind)
        properties = self._stored(known, item)
        for name in REQUIRED[kind]:
            if not properties.get(name):
                raise BadValueError(name, "REQUIRED_FIELD")
        unique = [name for name, each in known.items() if each.unique]
        return self.records.create(kind, properties, unique, self._contacts(kind, item))

    def _contacts(self, kind: str, item: dict[str, Any]) -> list[str]:
        """Return the contacts that a new record is about; refused where one is not there, or the type is another."""
        found = []
        for association in item.get("associations") or ():
            contact = self._store.find(str(association.get("to", {}).get("id", "")))
            types = association.get("types") or []
            wanted = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": _TO_CONTACT[kind]}
            if contact is None:
                raise Refused(
                    HTTPStatus.NOT_FOUND, "OBJECT_NOT_FOUND", "one or more associated objects are not there"
                )
            if types != [wanted]:
                raise invalid("that type of association does not join these objects")
            found.append(contact.id)
        return found

    def _update(self, kind: str, body: dict[str, Any]) -> Answer:
        known = self._properties.known(kind)
        unique = [name for name, each in known.items() if each.unique]
        results, errors = [], []
        for item in batch_inputs(body):
            found = self.records.find(kind, item["id"], item.get("idProperty"))
            if found is None:
                errors.append(_missing(kind, [item["id"]], item.get("objectWriteTraceId")))
                continue
            results.append(_traced(self.records.update(found, self._stored(known, item), unique), item))
        return complete(results, errors, len(errors))

    def _read(self, kind: str, body: dict[str, Any]) -> Answer:
        id_property = body.get("idProperty")
        if id_property is not None and not self._properties.known(kind).get(id_property, Property("")).unique:
            raise invalid(f"{id_property} is no unique property")
        ids = [item["id"] for item in batch_inputs(body)]
        found = {value: self.records.find(kind, value, id_property) for value in ids}
        names = list(body.get("properties") or ())
        results = [each.as_json(names) for each in found.values() if each is not None]
        missing = [value for value, each in found.items() if each is None]
        return complete(results, [_missing(kind, missing)] if missing else [], len(missing))

    def _archive(self, kind: str, body: dict[str, Any]) -> Answer:
        for item in batch_inputs(body):
            self.records.archive(kind, item["id"])
        return Answer(HTTPStatus.NO_CONTENT)

    def _stored(self, known: dict[str, Property], item: dict[str, Any]) -> dict[str, str]:
        return {name: stored_value(known, name, value) for name, value in string_properties(item).items()}


def _missing(kind: str, ids: list[str], trace: str | None = None) -> dict[str, Any]:
    said = error_body("OBJECT_NOT_FOUND", f"Could not get some {kind.upper()} objects", ids=ids)
    if trace:
        said["context"]["objectWriteTraceId"] = [trace]
    return said


def _traced(record: Record, item: dict[str, Any]) -> dict[str, Any]:
    trace = item.get("objectWriteTraceId")
    shown = record.as_json(item["properties"])
    return {**shown, "objectWriteTraceId": trace} if trace else shown
