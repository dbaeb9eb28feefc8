"""Finding a running stack, using it from another process, and ending it."""

from __future__ import annotations

import json
import os
import signal
import threading
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lakehouse.local.folder_lock import holder
from lakehouse.local.policy import StackPolicy
from lakehouse.local.private_file import write_private
from lakehouse.local.services.processes import accepts_connections, end_orphans, holds_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FILE = "stack.json"


@dataclass(frozen=True)
class StackInfo:
    """A running stack: its process, `env` for whoever wants to use it, URLs by name, and keys."""

    pid: int
    started_at: str
    services: str  # "all", or "store": object storage and catalog alone
    env: dict[str, str]
    endpoints: dict[str, str]  # s3, iceberg; with services "all" also aws, hubspot and (when it runs) http
    secrets: dict[str, str]


def announce(data: Path, info: StackInfo) -> None:
    """Write `<data>/stack.json`, for its owner's eyes only."""
    write_private(data / _FILE, asdict(info))


def withdraw(data: Path) -> None:
    """Remove `<data>/stack.json`: there is nothing to attach to any more."""
    (data / _FILE).unlink(missing_ok=True)


def attach(data: Path) -> StackInfo | None:
    """Return the stack that runs on `data`; None if none does, whatever the file says.

    It runs as long as its process has the folder's lock.
    """
    try:
        info = StackInfo(**json.loads((data / _FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):  # no file, or another version's: nothing to attach to
        return None
    port = urlsplit(info.endpoints["s3"]).port
    answers = holder(data) == info.pid and port is not None and accepts_connections(port)
    return info if answers else None


def attach_when_ready(data: Path, *, wanted: Callable[[StackInfo], bool]) -> StackInfo | None:
    """Return the stack to use, as soon as there is one that is `wanted`; None once the folder is free.

    A stack that starts, or a command that reads and ends soon, is waited for (`StackPolicy.lock_seconds`); the stack
    that is there then, wanted or not, is returned when time is up.
    """
    found: list[StackInfo | None] = [None]

    def look() -> bool:
        found[0] = attach(data)
        if found[0] is not None:
            return wanted(found[0])
        return holder(data) is None

    holds_within(look, StackPolicy.lock_seconds)
    return found[0]


def shut_down(data: Path) -> bool:
    """End the stack that runs on `data`, if any, and children that one left; return whether there was one.

    The stack gets a while to end by itself (`StackPolicy.shut_down_seconds`); so does one that is starting.
    """
    pid = holder(data)
    if pid is not None and not _end(data, pid, signal.SIGTERM):
        _end(data, pid, signal.SIGKILL)
    orphans = end_orphans(data / "children.json")
    if holder(data) is None:  # else the next one has begun already, and the file is its own
        withdraw(data)
    return pid is not None or bool(orphans)


def _end(data: Path, pid: int, number: signal.Signals) -> bool:
    """Send a signal to the process that has the folder's lock; return whether it ended in time."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    return holds_within(lambda: holder(data) != pid, StackPolicy.shut_down_seconds)


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C, SIGTERM or a closed terminal sets; the second Ctrl-C interrupts at once."""
    stopping = threading.Event()

    def stop(number: int, _: object) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stopping.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers_before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in handlers_before.items():
            signal.signal(number, handler)
