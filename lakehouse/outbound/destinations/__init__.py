"""Where deliveries go. A destination is a module of this folder with an `open_destination()` and a `BATCH_LIMIT`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, cast

from lakehouse.errors import Terminal, Transient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

_NAMES = frozenset({"hubspot"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a destination said of one row. `code` is its own word for what went wrong, never a message.

    `crm_id` is the record that was written or cleared. `uncertain`: it failed and may have been written all the same.
    """

    status: Literal["sent", "removed", "failed"]
    code: str = ""
    crm_id: str = ""
    uncertain: bool = False


class NotSent(Transient):
    """Nothing of a chunk has left for certain: it goes again, also where a row must not be sent twice."""


class Destination(Protocol):
    """A CRM that rows are delivered to. `idempotent`: sending a row again changes nothing."""

    idempotent: bool

    def send(self, chunk: Chunk, rows: Sequence[Row]) -> dict[int, Answer]:
        """Deliver rows of a chunk and return an answer for each, by its number.

        NotSent when nothing has left, Transient when it may work later, Terminal when a person must act; the rows are
        then not settled.
        """
        ...


def open_destination(settings: Settings, name: str) -> Destination:
    """Return the destination of that name, as settings and secrets say; Terminal for an unknown one."""
    return cast("Destination", import_module(_module_name(name)).open_destination(settings))


def batch_limit(name: str) -> int:
    """Return how many rows the destination of that name takes at once; chunks are no longer. Terminal as above."""
    return int(import_module(_module_name(name)).BATCH_LIMIT)


def _module_name(name: str) -> str:
    """Return the module of a destination, to be loaded only when needed: a function carries what it delivers to."""
    if name not in _NAMES:
        raise Terminal(f"no destination is called {name!r}; there are {', '.join(sorted(_NAMES))}")
    return f"{__name__}.{name}"
