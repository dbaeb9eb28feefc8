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

from lakehouse.local.policy import StackPolicy
from lakehouse.local.private_file import write_private
from lakehouse.local.services.processes import accepts_connections, end_orphans, holds_within, is_running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE = "stack.json"


@dataclass(frozen=True)
class StackInfo:
    """A running stack: its process, `env` for whoever wants to use it, URLs by name, and keys."""

    pid: int
    create_time: float
    started_at: str
    services: str  # "all", or "store": object storage and catalog alone
    env: dict[str, str]
    endpoints: dict[str, str]  # s3, iceberg; with services "all" also aws, hubspot and (when it runs) http
    secrets: dict[str, str]

    def runs(self) -> bool:
        """Return whether its process is still there."""
        return is_running(self.pid, self.create_time)


def announce(data: Path, info: StackInfo) -> None:
    """Write `<data>/stack.json`, for its owner's eyes only."""
    write_private(data / _FILE, asdict(info))


def withdraw(data: Path) -> None:
    """Remove `<data>/stack.json`: there is nothing to attach to any more."""
    (data / _FILE).unlink(missing_ok=True)


def attach(data: Path) -> StackInfo | None:
    """Return the stack that runs on `data`; None if none does, whatever the file says."""
    try:
        info = StackInfo(**json.loads((data / _FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):  # no file, or another version's: nothing to attach to
        return None
    port = urlsplit(info.endpoints["s3"]).port
    answers = info.runs() and port is not None and accepts_connections(port)
    return info if answers else None


def shut_down(data: Path) -> bool:
    """End the stack that runs on `data`, if any, and children that one left; return whether there was one.

    The stack gets a while to end by itself (`StackPolicy.shut_down_seconds`).
    """
    info = attach(data)
    if info is not None and not _end(info, signal.SIGTERM):
        _end(info, signal.SIGKILL)
    orphans = end_orphans(data / "children.json")
    withdraw(data)
    return info is not None or bool(orphans)


def _end(info: StackInfo, number: signal.Signals) -> bool:
    """Send a signal to a stack's process; return whether it ended in time."""
    with suppress(ProcessLookupError):
        os.kill(info.pid, number)
    return holds_within(lambda: not info.runs(), StackPolicy.shut_down_seconds)


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
