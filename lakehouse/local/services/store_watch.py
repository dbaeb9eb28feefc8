"""Notices that the object store takes no writes, and starts it again once its disk has room.

SeaweedFS keeps each bucket in volumes of its own, and counts the room for them as it starts. After a disk was full it
goes on refusing some writes and taking others, whatever was cleared since: one write that succeeds proves nothing.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lakehouse import telemetry
from lakehouse.local.policy import StoreWatchPolicy
from lakehouse.local.runtime.logs import reason
from lakehouse.policy import MIB


@dataclass(frozen=True)
class DiskRoom:
    """How many bytes are free on the disk of a folder, of how many."""

    free: int
    total: int

    @property
    def low(self) -> bool:
        """Return whether that is so little that the object store takes no writes."""
        return self.free < max(StoreWatchPolicy.low_bytes, self.total * StoreWatchPolicy.low_share)

    def __str__(self) -> str:
        return f"{self.free / MIB:,.0f} of {self.total / MIB:,.0f} MiB are free"


def disk_room(folder: Path) -> DiskRoom:
    """Return the room on the disk that a folder is on."""
    usage = shutil.disk_usage(folder)
    return DiskRoom(usage.free, usage.total)


# What a disk says that takes no files; it may have bytes left and no inode, or a quota, or have been made read-only.
_REFUSALS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


def disk_refusal(folder: Path) -> str:
    """Return why the disk of a folder takes no file, "" where it takes one; it is tried."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"-" * StoreWatchPolicy.tried_bytes)
    except OSError as error:
        if error.errno in _REFUSALS:
            return f"{errno.errorcode[error.errno]}: {os.strerror(error.errno)}"
    return ""


def store_trouble(folder: Path, write: Callable[[], None]) -> str:
    """Return why the store in `folder` takes no writes and what to do, "" where it does; `write` tries some."""
    try:
        write()
    except Exception as error:  # noqa: BLE001 - whatever it is, the store does not do what it is for
        room = disk_room(folder)
        if room.low:
            return (
                f"the object store takes no writes, as its disk is full ({room} on the disk of {folder}): make room; a "
                "running stack starts its store again by itself then"
            )
        if refusal := disk_refusal(folder.parent):
            return (
                f"the object store takes no writes, as its disk takes no files ({refusal}; {room} on the disk of "
                f"{folder}): make it take some; a running stack starts its store again by itself then"
            )
        return (
            f"the object store takes no writes ({type(error).__name__}), though its disk has room ({room} on the disk "
            f"of {folder}): a running stack starts its store again by itself within a minute; see "
            f"{folder.parent / 'logs' / 'store.log'}"
        )
    return ""


class StoreWatch:
    """Tries a write now and then while there is reason to doubt, and starts the store again when that helps.

    `write` tries one and raises what went wrong, `restart` starts the store again, `tell` hears what a person should
    know.
    """

    def __init__(
        self,
        folder: Path,
        write: Callable[[], None],
        restart: Callable[[], None],
        tell: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._write = write
        self._restart = restart
        self._tell = tell
        self._clock = clock
        self._doubted = False
        self._failures = 0
        self._refused_when_full = False
        self._restarts_in_vain = 0
        self._next_try = clock()

    def doubt(self) -> None:
        """Hear that something went wrong that may be the store's doing; from any thread."""
        self._doubted = True

    def look(self) -> None:
        """Try to write if there is reason to and it is time; raises what `restart` raises."""
        room = disk_room(self._folder)
        if not self._is_suspect(room) or self._clock() < self._next_try:
            return
        doubted, self._doubted = self._doubted, False
        error = self._try()
        if error is not None:
            self._note_failure(error, room)
        if room.low or disk_refusal(self._folder.parent):
            self._refused_when_full |= doubted or error is not None
        elif self._refused_when_full or self._failures >= StoreWatchPolicy.failures_before_restart:
            self._start_again(room)
        elif error is None:
            self._note_success(room)
        wait_seconds = StoreWatchPolicy.try_seconds * 2**self._restarts_in_vain
        self._next_try = self._clock() + min(wait_seconds, StoreWatchPolicy.longest_wait_seconds)

    def _is_suspect(self, room: DiskRoom) -> bool:
        return room.low or self._doubted or self._refused_when_full or self._failures > 0

    def _try(self) -> Exception | None:
        try:
            self._write()
        except Exception as error:  # noqa: BLE001 - whatever it is, the store does not do what it is for
            return error
        return None

    def _note_failure(self, error: Exception, room: DiskRoom) -> None:
        self._failures += 1
        what = "object store takes no writes"
        telemetry.failed(what, error, bytes=room.free, path=str(self._folder), reason=reason(error))
        if self._failures == 1:
            self._tell(f"the object store takes no writes; {room} on the disk of {self._folder}")

    def _note_success(self, room: DiskRoom) -> None:
        self._restarts_in_vain = 0
        if self._failures:
            self._failures = 0
            self._tell("the object store takes writes again")
            telemetry.info("object store takes writes again", bytes=room.free)

    def _start_again(self, room: DiskRoom) -> None:
        self._tell("starting the object store again …")
        telemetry.warn("object store is started again", bytes=room.free)
        self._restart()
        self._refused_when_full = False
        self._failures = 1  # until a write says otherwise
        self._restarts_in_vain += 1
