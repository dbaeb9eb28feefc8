"""What a sync says that its kind of destination cannot do, field by field. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lakehouse.outbound.record_kinds import KEY_PROPERTY, KINDS, NO_PURPOSE, RECORD_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.outbound.definition import Sync

_ANY_NAME: Final = re.compile(r".+")
_API_NAMES: Final = {
    "hubspot": re.compile(r"[a-z0-9][a-z0-9_]*"),
    "salesforce": re.compile(r"[A-Za-z][A-Za-z0-9_]*"),
}
_KEEP_RECORDS: Final = frozenset({"hubspot", "salesforce"})  # kinds that reach no customer by themselves


def problems(sync: Sync, kind: str) -> Iterator[tuple[str, str]]:
    """Yield field and reason of all that keeps a sync from being delivered by a destination of that kind."""
    yield from _of_hubspot(sync) if kind == "hubspot" else _of_others(sync, kind)
    if kind not in _KEEP_RECORDS and sync.purpose == NO_PURPOSE:
        yield "purpose", f"a destination of kind {kind} may write to people: say what consent is asked for"
    names = _API_NAMES.get(kind, _ANY_NAME)
    for name in sorted(sync.written):
        if not names.fullmatch(name):
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
    if sync.kind is None and sync.removal in ("close", "archive"):
        yield "removal", "contacts are not closed: say clear or keep"


def _of_others(sync: Sync, kind: str) -> Iterator[tuple[str, str]]:
    for field in ("fill_blanks", "create_properties"):
        if getattr(sync, field):
            yield field, f"a destination of kind {kind} cannot do that"
    if sync.removal == "archive":
        yield "removal", f"a destination of kind {kind} cannot archive: say clear, close or keep"
