"""Where deliveries go. A kind of destination is a module of this folder; `docs/destinations.md` says what it holds.

HubSpot is there by itself; every other destination is a file of people's own that names its kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, cast

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations.definition import find_destination

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lakehouse.outbound.destinations.definition import Rate
    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

# The module of each kind. Loaded only when needed: a function carries what it delivers to.
_MODULES = {
    "hubspot": "hubspot",
    "http": "http_template",
    "webhook": "webhook",
    "salesforce": "salesforce",
    "file": "file_drop",
    "dingtalk": "robots",
    "feishu": "robots",
    "wecom": "robots",
    "wecom_tags": "wecom_tags",
    "wecom_messages": "wecom_messages",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a destination said of one row. `code` is its own word for what went wrong, never a message.

    `crm_id` is the record that was written or cleared. `uncertain`: it failed and may have been written all the same.
    `unknown`: so, and it must not be sent again. `kept` names properties that were not written, since a person's value
    stands there.
    """

    status: Literal["sent", "removed", "failed", "unknown"]
    code: str = ""
    crm_id: str = ""
    uncertain: bool = False
    kept: tuple[str, ...] = ()

    @property
    def fate(self) -> Literal["sent", "not sent", "ambiguous"]:
        """Return what is known of the row."""
        if self.status == "unknown" or self.uncertain:
            return "ambiguous"
        return "not sent" if self.status == "failed" else "sent"


@dataclass(frozen=True, slots=True)
class Declared:
    """What a destination says of itself.

    `batch`: rows that one request takes. `idempotent`: sending a row again changes nothing. `removal`: how somebody is
    taken off: our properties are cleared, the record is deleted, a list is left, a file says so, or nothing can be
    done about what was sent ("none").
    """

    batch: int
    rate: Rate | None
    idempotent: bool
    removal: Literal["clear", "delete", "list", "file", "none"]


class NotSent(Transient):
    """Nothing of a chunk has left for certain: it goes again, also where a row must not be sent twice."""


class NothingWritten(Terminal):
    """Nothing of a chunk was written for certain, and a person must act before it goes again."""


class Destination(Protocol):
    """A CRM that rows are delivered to. `idempotent`: sending a row again changes nothing."""

    declared: Declared
    idempotent: bool

    def send(self, chunk: Chunk, rows: Sequence[Row]) -> dict[int, Answer]:
        """Deliver rows of a chunk and return an answer for each, by its number.

        NotSent when nothing has left, Transient when it may work later, Terminal when a person must act; the rows are
        then not settled.
        """
        ...


def open_destination(settings: Settings, name: str) -> Destination:
    """Return the destination of that name, as its file, settings and secrets say; Terminal for an unknown one."""
    definition = find_destination(settings.definitions, name)
    module = import_module(_module_name(definition.kind))
    destination = module.open_destination(settings, definition)
    if settings.limits_table and definition.kind != "file":
        from lakehouse.outbound.destinations.limits_table import shared_limit  # noqa: PLC0415 - it needs this module

        destination.limit = shared_limit(settings, definition, destination.declared)
    return cast("Destination", destination)


def batch_limit(name: str, definitions: Path | None = None) -> int:
    """Return how many rows a chunk for the destination of that name has at most. Terminal as above."""
    definition = find_destination(definitions, name)
    return int(import_module(_module_name(definition.kind)).chunk_rows(definition))


def removal_limit(name: str, definitions: Path | None = None) -> int:
    """Return how many rows a chunk of removals for it has at most: for most as many as any. Terminal as above."""
    definition = find_destination(definitions, name)
    module = import_module(_module_name(definition.kind))
    return int(getattr(module, "removal_rows", module.chunk_rows)(definition))


def _module_name(kind: str) -> str:
    return f"{__name__}.{_MODULES[kind]}"
