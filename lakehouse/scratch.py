"""Scratch disk: a folder for each process, whose lock says whether the process lives, so that no leftover stays.

A process that is killed removes nothing, and what it leaves are raw rows, out of reach of `collect` and `raw_days`. The
system drops the lock however its holder ends, and the next process on the same scratch disk removes the folder: on a
laptop at the next start, on Lambda (which keeps /tmp) with the next call. No clock and no age is asked.
"""

from __future__ import annotations

import atexit
import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Final

_PREFIX: Final = "lakehouse-"  # /tmp belongs to others as well
_LOCK_FILE: Final = ".lock"
_numbers = itertools.count()
_folders: dict[tuple[int, Path], Path] = {}  # by process and scratch disk: a forked child makes its own
_making = Lock()


@contextmanager
def scratch_folder(scratch: Path, purpose: str) -> Iterator[Path]:
    """Make a folder on the scratch disk `scratch` that is removed at the end."""
    with tempfile.TemporaryDirectory(dir=_own_folder(scratch), prefix=f"{purpose}-") as folder:
        yield Path(folder)


def scratch_path(scratch: Path, purpose: str) -> Path:
    """Return the path of a folder that nobody else uses, for a library that makes and removes it."""
    name = f"{purpose}-{next(_numbers)}"
    try:
        return _own_folder(scratch) / name
    except OSError:  # the disk is full: who only reads may never need it
        return scratch / f"{_PREFIX}{os.getpid()}-{name}"


def remove_leftovers(scratch: Path, *, all_names: bool = False) -> int:
    """Remove what processes left that are no more; return how many folders and files that were.

    `all_names`: also what bears another name than ours, where nobody else uses the folder.
    """
    leftovers = [path for path in scratch.glob("*" if all_names else f"{_PREFIX}*") if not _is_in_use(path)]
    for path in leftovers:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
    return len(leftovers)


def _own_folder(scratch: Path) -> Path:
    """Return this process's folder, made the first time, when what others left is removed."""
    owner = (os.getpid(), scratch)
    with _making:
        folder = _folders.get(owner)
        if folder is None or not folder.is_dir():
            scratch.mkdir(parents=True, exist_ok=True)
            remove_leftovers(scratch)
            folder = _folders[owner] = _make_locked(scratch)
            atexit.register(_remove_own, os.getpid(), folder)
        return folder


def _remove_own(pid: int, folder: Path) -> None:
    if os.getpid() == pid:  # a forked child inherits what is registered, and the folder is its parent's
        shutil.rmtree(folder, ignore_errors=True)


def _make_locked(scratch: Path) -> Path:
    """Make a folder and lock it for as long as this process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=scratch, prefix=_PREFIX))
        try:
            descriptor = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError:  # another process took it for a leftover
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if (folder / _LOCK_FILE).exists():  # else it has become a leftover before it was locked
            return folder
        os.close(descriptor)


def _is_in_use(path: Path) -> bool:
    """Return whether a process lives that has locked a folder."""
    try:
        descriptor = os.open(path / _LOCK_FILE, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
