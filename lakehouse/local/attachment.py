"""Finding a running stack, using it from another process, and ending it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lakehouse.local.services.processes import answers, end_orphans, is_running, write_private

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
    return info if is_running(info.pid, info.create_time) and port and answers(port) else None


def shut_down(data: Path, seconds: float = 20.0) -> bool:
    """End the stack that runs on `data`, if any, and children that one left; return whether there was one.

    The stack gets `seconds` to end by itself.
    """
    info = attach(data)
    if info is not None:
        with suppress(ProcessLookupError):
            os.kill(info.pid, signal.SIGTERM)
        if not _gone(info, seconds):
            with suppress(ProcessLookupError):
                os.kill(info.pid, signal.SIGKILL)
            _gone(info, seconds)
    orphans = end_orphans(data / "children.json")
    withdraw(data)
    return info is not None or bool(orphans)


def _gone(info: StackInfo, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_running(info.pid, info.create_time):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C, SIGTERM or a closed terminal sets; the second Ctrl-C interrupts at once."""
    told = threading.Event()

    def tell(number: int, _: object) -> None:
        if told.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        told.set()

    before = {
        number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
