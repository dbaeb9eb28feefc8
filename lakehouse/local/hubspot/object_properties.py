"""Which properties the objects of the HubSpot simulator have, and what a value of them may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_MILLISECONDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Property:
    """A property as HubSpot describes it. `options`: the values that it may have (empty: any), with their labels."""

    name: str
    type: str = "string"
    options: tuple[str, ...] = ()
    unique: bool = False
    made: Mapping[str, Any] | None = None
    label: str = ""
    option_labels: Mapping[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the property as the API shows it."""
        said = dict(self.made or {})
        return {
            "name": self.name,
            "label": said.get("label", self.label or self.name),
            "type": self.type,
            "fieldType": said.get("fieldType", "select" if self.options else "text"),
            "groupName": said.get("groupName", "standard"),
            "description": said.get("description", ""),
            "options": [
                {
                    "label": (self.option_labels or {}).get(option, option),
                    "value": option,
                    "hidden": False,
                    "displayOrder": number,
                }
                for number, option in enumerate(self.options)
            ],
            "hasUniqueValue": self.unique,
            "hidden": bool(said.get("hidden", False)),
            "formField": bool(said.get("formField", False)),
            "hubspotDefined": self.made is None,
            "calculated": False,
            "externalOptions": False,
            "archived": False,
            "modificationMetadata": {
                "archivable": self.made is not None,
                "readOnlyDefinition": self.made is None,
                "readOnlyValue": self.name.startswith("hs_object") or self.name == "hs_lastmodifieddate",
            },
        }


_STAGES: Final = {"subscriber": "Subscriber", "lead": "Lead", "customer": "Customer"}
_LABELS: Final = {  # of contacts, as an export has them in its header
    "firstname": "First Name",
    "lastname": "Last Name",
    "phone": "Phone Number",
    "city": "City",
    "country": "Country/Region",
    "hubspot_owner_id": "Contact owner",
    "createdate": "Create Date",
    "lastmodifieddate": "Last Modified Date",
    "marketing_consent": "Marketing consent",
    "hs_email_optout": "Unsubscribed from all email",
}


def _of(*said: Property | str) -> dict[str, Property]:
    every = [each if isinstance(each, Property) else Property(each) for each in said]
    return {each.name: each for each in (*every, Property("hs_object_id", "number", label="Record ID"))}


DEFINED: Final[Mapping[str, Mapping[str, Property]]] = {
    "contacts": _of(
        Property("email", unique=True, label="Email"),
        Property(
            "lifecyclestage", "enumeration", tuple(_STAGES), label="Lifecycle Stage", option_labels=_STAGES
        ),
        *(Property(name, label=label) for name, label in _LABELS.items()),
        *("mobilephone", "address", "zip", "state", "company", "jobtitle", "website", "hs_language"),
    ),
    "tasks": _of(
        *("hs_task_subject", "hs_task_body", "hubspot_owner_id"),
        Property(
            "hs_task_status",
            "enumeration",
            ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
        ),
        Property("hs_task_priority", "enumeration", ("NONE", "LOW", "MEDIUM", "HIGH")),
        Property("hs_task_type", "enumeration", ("CALL", "EMAIL", "TODO", "LINKED_IN")),
        Property("hs_timestamp", "datetime"),
    ),
    "tickets": _of(
        *("subject", "content", "hubspot_owner_id", "hs_pipeline"),
        Property("hs_pipeline_stage", "enumeration", ("1", "2", "3", "4")),
        Property("hs_ticket_priority", "enumeration", ("LOW", "MEDIUM", "HIGH", "URGENT")),
    ),
    "notes": _of("hs_note_body", "hubspot_owner_id", Property("hs_timestamp", "datetime")),
}
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "tasks": ("hs_timestamp",),
    "tickets": ("subject", "hs_pipeline_stage"),
    "notes": ("hs_timestamp",),
}


class BadValueError(Exception):
    """A value that a property cannot have; `code` is HubSpot's word for why."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(f"Property values were not valid: {name}")
        self.code = code


def stored_value(known: Mapping[str, Property], name: str, value: str) -> str:
    """Return a value as HubSpot keeps it: moments as ISO-8601 in UTC with milliseconds. Raises BadValueError."""
    said = known.get(name)
    if said is None:
        raise BadValueError(name, "PROPERTY_DOESNT_EXIST")
    if not value:
        return ""
    if said.options and value not in said.options:
        raise BadValueError(name, "INVALID_OPTION")
    if said.type == "datetime":
        return _moment(name, value)
    if said.type == "number":
        try:
            float(value)
        except ValueError:
            raise BadValueError(name, "INVALID_INTEGER") from None
    return value


def _moment(name: str, value: str) -> str:
    try:
        if value.lstrip("-").isdigit():
            moment = datetime.fromtimestamp(int(value) / _MILLISECONDS, UTC)
        else:
            moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        raise BadValueError(name, "INVALID_DATE") from None
    in_utc = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return in_utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
