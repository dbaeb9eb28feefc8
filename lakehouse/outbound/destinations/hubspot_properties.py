"""The properties of HubSpot's objects: those that a sync writes and HubSpot lacks are made, where its file says so.

One that is there is never changed: where its type is another than the file declares, nothing is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lakehouse.outbound.destinations import NothingWritten
from lakehouse.outbound.destinations.exchange import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakehouse.outbound.destinations.hubspot_api import Api

_PATH: Final = "/crm/v3/properties/"
_FIELD_TYPES: Final = {
    "string": "text",
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
}
_GROUP: Final = "lakehouse"


class Properties:
    """The properties of one kind of objects in one account."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def known(self, deadline: float) -> dict[str, dict[str, Any]]:
        """Return HubSpot's descriptions of the properties, by name."""
        answer = self._api.ask("GET", f"{_PATH}{self._api.kind}", None, deadline).value
        results = answer.get("results")
        found = results if isinstance(results, list) else []
        return {str(each.get("name")): each for each in found if isinstance(each, dict)}

    def ensure(
        self, wanted: Mapping[str, Mapping[str, Any]], key: str, *, may_create: bool, deadline: float
    ) -> list[str]:
        """Make sure that properties are there, and the unique one `key` ("": none); return those that were made.

        `wanted` has by name a `PropertySpec`'s fields, and whether the file `declared` it. Raises NothingWritten where
        one is of another type, can only be read, or is missing and may not be made.
        """
        known = self.known(deadline)
        for name in wanted.keys() & known.keys():
            self._check(name, known[name], wanted[name])
        if known.get(key, {}).get("hasUniqueValue", True) is not True:
            raise NothingWritten(
                f"HubSpot's property {key} of {self._api.kind} is not unique: delete it, so that it is made anew"
            )
        missing = missing_of(wanted, known, key)
        if missing and not may_create:
            raise NothingWritten(
                f"HubSpot's {self._api.kind} have no property {', '.join(missing)}: say `create_properties: true` in "
                "the sync's file, or create it there"
            )
        bodies = [_key_body(key) if name == key else _body(name, wanted[name]) for name in missing]
        for group in sorted({body["groupName"] for body in bodies}):
            self._make(f"{_PATH}{self._api.kind}/groups", {"name": group, "label": _label(group)}, deadline)
        for body in bodies:
            self._make(f"{_PATH}{self._api.kind}", body, deadline)
        return missing

    def _check(self, name: str, found: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
        if spec.get("declared") and found.get("type") != spec["type"]:
            raise NothingWritten(
                f"HubSpot's property {name} of {self._api.kind} is a {found.get('type')}, and the sync's file says "
                f"{spec['type']}: it is not changed; say its type, or write to another property"
            )
        metadata = found.get("modificationMetadata")
        if isinstance(metadata, dict) and metadata.get("readOnlyValue") is True:
            raise NothingWritten(f"HubSpot's property {name} of {self._api.kind} can only be read")

    def _make(self, path: str, body: dict[str, Any], deadline: float) -> None:
        """Make something, unless another worker was first."""
        try:
            self._api.ask("POST", path, body, deadline)
        except Refused as refused:
            if refused.code not in ("OBJECT_ALREADY_EXISTS", "CONFLICT", "HTTP_409"):
                raise NothingWritten(
                    f"HubSpot does not make the property {body['name']} of {self._api.kind} ({refused.code})"
                ) from None


def missing_of(wanted: Iterable[str], known: Iterable[str], key: str) -> list[str]:
    """Return the properties that are not there, `key` among them where it is none."""
    names = {*wanted, *([key] if key else ())}
    return sorted(names - set(known))


def _body(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    options = [
        {"label": option, "value": option, "displayOrder": number, "hidden": False}
        for number, option in enumerate(spec["options"])
    ]
    return {
        "name": name,
        "label": spec["label"] or _label(name),
        "type": spec["type"],
        "fieldType": _FIELD_TYPES[spec["type"]],
        "groupName": spec["group"],
        **({"options": options} if options else {}),
    }


def _key_body(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": _label(name),
        "description": "Ties a record to the cause for which it was made. Do not edit.",
        "type": "string",
        "fieldType": "text",
        "groupName": _GROUP,
        "hasUniqueValue": True,
        "hidden": True,
    }


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
