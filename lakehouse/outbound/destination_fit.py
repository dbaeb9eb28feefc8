"""What a sync says that contradicts itself, or that its kind of destination cannot do, field by field. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lakehouse.outbound.record_kinds import KEY_PROPERTY, KINDS, LIST_PREFIX, NO_PURPOSE, RECORD_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.record_kinds import RecordKind

_ANY_NAME: Final = re.compile(r".+")
_API_NAMES: Final = {
    "hubspot": re.compile(r"[a-z0-9][a-z0-9_]*"),
    "salesforce": re.compile(r"[A-Za-z][A-Za-z0-9_]*"),
}
_KEEP_RECORDS: Final = frozenset(
    {"hubspot", "salesforce", "wecom_tags"}
)  # kinds that reach no customer by themselves


def problems(sync: Sync, kind: str) -> Iterator[tuple[str, str]]:
    """Yield field and reason of all that keeps a sync from being delivered by a destination of that kind."""
    yield from _of_hubspot(sync) if kind == "hubspot" else _of_others(sync, kind)
    if kind not in _KEEP_RECORDS and sync.purpose == NO_PURPOSE:
        yield "purpose", f"a destination of kind {kind} may write to people: say what consent is asked for"
    names = _API_NAMES.get(kind, _ANY_NAME)
    for name in sorted(sync.written):
        if not names.fullmatch(name) and not name.startswith(LIST_PREFIX):
            yield "properties", f"{name!r} is no name of a property in a destination of kind {kind}"
        if name == sync.id.property and kind != "hubspot":
            yield "properties", f"{name!r} is what records are known by: `id` writes it already"
    if not names.fullmatch(sync.id.property):
        yield "id.property", f"{sync.id.property!r} is no name of a property in a destination of kind {kind}"


def _of_hubspot(sync: Sync) -> Iterator[tuple[str, str]]:
    if sync.object not in {"contacts", *KINDS}:
        yield "object", f"HubSpot is written contacts, {', '.join(KINDS)}, and no {sync.object!r}"
    if sync.kind is None and sync.id.property == KEY_PROPERTY:
        yield "id.property", f"contacts are known by email or {RECORD_ID}"
    if sync.kind is not None and sync.id.property != KEY_PROPERTY:
        yield "id.property", f"{sync.object} are known by {KEY_PROPERTY}: leave `id` out"
    if sync.kind is not None and sync.list:
        yield "list", "lists are of contacts"
    if sync.kind is None and sync.removal in ("close", "archive"):
        yield "removal", "contacts are not closed: say clear or keep"


def _of_others(sync: Sync, kind: str) -> Iterator[tuple[str, str]]:
    for field in ("fill_blanks", "create_properties", "list"):
        if getattr(sync, field):
            yield field, f"a destination of kind {kind} cannot do that"
    if sync.removal == "archive":
        yield "removal", f"a destination of kind {kind} cannot archive: say clear, close or keep"


def contradictions(sync: Sync) -> Iterator[tuple[str, str]]:
    """Yield field and reason of what does not fit together in a sync, wherever it goes."""
    if not (sync.segments or sync.triggers or sync.duplicates):
        yield "segments", "name at least one, or a trigger in `triggers`"
    if not sync.written:
        yield "properties", "name at least one property to write"
    if sync.kind is not None:
        yield from _of_kind(sync, sync.kind)
    if sync.contact is not None and sync.purpose == NO_PURPOSE:
        yield "purpose", "a sync that writes to people (`contact`) asks consent for one"
    if sync.contact is not None and sync.is_by_cause:
        yield "contact", "is of syncs of segments; tasks, tickets and notes reach no customer"
    if sync.removal == "close" and not sync.closed:
        yield "closed", "say what closing writes, as `closed: {hs_task_status: COMPLETED}`"


def _of_kind(sync: Sync, kind: RecordKind) -> Iterator[tuple[str, str]]:
    if missing := [name for name in kind.required if name not in sync.written]:
        yield "properties", f"HubSpot's {sync.object} need {missing[0]}"
    if sync.removal == "clear":
        yield "removal", f"{sync.object} are not cleared: say close, archive or keep"
    if sync.fill_blanks:
        yield "fill_blanks", f"is of contacts; what a person changes of {sync.object} is kept"
