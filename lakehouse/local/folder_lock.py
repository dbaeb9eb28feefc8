"""Who owns a data folder, and who uses it beside the owner: advisory locks, which the system drops however one ends.

Whether a stack runs is asked of the lock alone. The time at which a process began is reckoned from the clock, and moves
when that is set; a pid is used again.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

from lakehouse.command_line import command_line
from lakehouse.errors import Terminal
from lakehouse.local.policy import ProcessPolicy, StackPolicy
from lakehouse.local.services.processes import has_open, holds_within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK: Final = "lock"
_READERS: Final = "readers"
_PID_BYTES: Final = 20


class FolderInUse(Terminal):
    """Another stack has the data folder."""


class FolderLock:
    """One stack a data folder."""

    def __init__(self, data: Path) -> None:
        self._path = data / _LOCK
        self._file: IO[bytes] | None = None

    def acquire(self, wait_seconds: float = 0.0) -> None:
        """Take the lock, or raise `FolderInUse` with the pid that still holds it after so many seconds."""
        file = open_for_lock(self._path)
        if not holds_within(lambda: _try_lock(file, fcntl.LOCK_EX), wait_seconds):
            file.close()
            data = self._path.parent
            raise FolderInUse(
                f"another stack (process {_read_pid(self._path) or 'unknown'}) uses {data}: stop it with "
                f"`{command_line('down', data)}`, or give this one another --data"
            )
        with suppress(OSError):  # over what is there: that needs no room on a full disk
            os.pwrite(file.fileno(), str(os.getpid()).ljust(_PID_BYTES).encode(), 0)
        self._file = file

    def release(self) -> None:
        """Let the next one in. Releasing twice is fine."""
        if self._file is not None:
            self._file.close()
            self._file = None


def holder(data: Path) -> int | None:
    """Return the pid of the process that has the data folder's lock; None when nobody has it."""
    path = data / _LOCK
    found: list[int | None] = []

    def look() -> bool:
        """Look once; who has just taken the lock writes its pid a moment later."""
        if _is_free(path):
            found.append(None)
        elif (pid := _read_pid(path)) is not None and has_open(pid, path):
            found.append(pid)
        return bool(found)

    if not holds_within(look, ProcessPolicy.connect_seconds):
        raise Terminal(
            f"{path} is locked, and does not say by which process: find it with `fuser {path}` and end it"
        )
    return found[0]


@contextmanager
def reading(data: Path) -> Iterator[None]:
    """Keep the owner of the data folder, when it ends in order, from stopping its store for a few seconds."""
    try:
        file = open_for_lock(data / _READERS)
    except OSError:  # a full disk keeps nobody from reading
        yield
        return
    with file:
        _try_lock(file, fcntl.LOCK_SH)
        yield


def wait_for_readers(data: Path) -> None:
    """Return when nobody reads beside the owner any more, or time is up."""
    with suppress(OSError), open_for_lock(data / _READERS) as file:
        holds_within(lambda: _try_lock(file, fcntl.LOCK_EX), StackPolicy.readers_seconds)


def open_for_lock(path: Path) -> IO[bytes]:
    """Open a lock's file for reading and writing, made where there is none."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")


def _is_free(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _try_lock(file, fcntl.LOCK_SH)
    except OSError:
        return True


def _try_lock(file: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read_pid(path: Path) -> int | None:
    try:
        return int(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
