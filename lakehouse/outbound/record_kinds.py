"""The records that a sync writes for causes: tasks, tickets and notes, one for each cause, tied by a key of ours.

What a sync's file need not say of them stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from lakehouse.outbound.policy import BrakePolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

CAUSE_KEY: Final = "cause_key"  # the column of a cause's row that is the same whenever the cause is asked for
RECORD_ID: Final = "hs_object_id"  # what HubSpot calls the id of a record
NO_PURPOSE: Final = "none"  # of a sync that keeps records and contacts nobody: only the erased are left out
HUBSPOT: Final = "hubspot"  # the destination; its name is reserved
KEY_PROPERTY: Final = "lakehouse_key"
LIST_PREFIX: Final = "list:"  # a property that is no property but the membership of a static list, by its id
MEMBER: Final = "member"


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of records.

    `state` is the property that people change when they work on one ("": there is none): from then on it is theirs.
    `new` is what one says beside the sync's own properties, `closed` what closing it writes, `required` what the CRM
    asks of a new one, `removal` what becomes of one whose cause is gone. `to_contact` is HubSpot's type of the
    association with a contact.
    """

    state: str
    new: Mapping[str, str]
    closed: Mapping[str, str]
    required: tuple[str, ...]
    removal: str
    to_contact: int


KINDS: Final[Mapping[str, RecordKind]] = MappingProxyType(
    {
        "tasks": RecordKind(
            state="hs_task_status",
            new={"hs_task_status": "NOT_STARTED", "hs_task_type": "TODO"},
            closed={"hs_task_status": "COMPLETED"},
            required=("hs_task_subject", "hs_timestamp"),
            removal="close",
            to_contact=204,
        ),
        "tickets": RecordKind(
            state="hs_pipeline_stage",
            new={"hs_pipeline": "0", "hs_pipeline_stage": "1"},
            closed={"hs_pipeline_stage": "4"},
            required=("subject",),
            removal="close",
            to_contact=16,
        ),
        "notes": RecordKind(
            state="",
            new={},
            closed={},
            required=("hs_note_body", "hs_timestamp"),
            removal="keep",
            to_contact=202,
        ),
    }
)


def with_defaults(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a sync's file says, with what it need not say for the records that it writes."""
    given = dict(said)
    kind = KINDS.get(str(given.get("object", ""))) if given.get("destination") == HUBSPOT else None
    if kind is not None:
        given.setdefault("id", {"property": KEY_PROPERTY, "from": CAUSE_KEY})
        given.setdefault("removal", kind.removal)
        given.setdefault("closed", dict(kind.closed))
        given["brakes"] = {"first_run_rows": BrakePolicy.first_run_records} | _mapping(given.get("brakes"))
        given["fixed"] = _without(kind.new, given.get("properties")) | _mapping(given.get("fixed"))
    elif given.get("duplicates") and given.get("destination") == HUBSPOT:
        given.setdefault("id", {"property": RECORD_ID, "from": "record_id"})
    if kind is not None or "duplicates" in given:
        given.setdefault("purpose", NO_PURPOSE)
    if given.get("purpose") == NO_PURPOSE:
        given.setdefault("channel", "email")  # the address by which the erased are known
    blanks = given.get("fill_blanks")
    if isinstance(blanks, list | tuple):
        given["properties"] = {str(name): str(name) for name in blanks} | _mapping(given.get("properties"))
    return given


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _without(new: Mapping[str, str], properties: Any) -> dict[str, Any]:
    return {name: value for name, value in new.items() if name not in _mapping(properties)}
