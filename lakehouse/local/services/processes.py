"""Child processes: free ports, start, health, an end for each however this one ends, one owner a folder.

Two things see to it that no child outlives its stack. A guard (a `sh` that waits on a pipe which only this
process holds) kills the child the moment this process is gone, whatever ended it. And `children.json` names
every child by pid and creation time, so that the next stack on the folder ends what even the guard missed.

The guard rather than Linux's PR_SET_PDEATHSIG: that signal fires when the *thread* that forked ends, needs
`preexec_fn` (unsafe once threads run) and is missing on macOS; a pipe has none of these troubles.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import psutil

from lakehouse.errors import Terminal, Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    _Process = subprocess.Popen[bytes]

# Below Linux's (32768) and macOS's (49152) ephemeral ranges: no outgoing connection takes a port between the
# moment we saw it free and the moment the child binds it.
_PORTS = range(20_000, 32_000)

_KILLED_S = 10.0

# First line: whom to guard. Then another line means that he was ended in order, end of file that we are gone.
_GUARD = 'read -r child && { read -r _ || kill -9 "$child"; }'


def free_ports(count: int) -> list[int]:
    """Return `count` different loopback ports that were free a moment ago."""
    found: list[int] = []
    tried: list[socket.socket] = []
    try:
        for port in random.sample(_PORTS, k=len(_PORTS)):
            candidate = socket.socket()
            tried.append(candidate)
            with suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == count:
                return found
    finally:
        for each in tried:
            each.close()
    raise Transient(f"found only {len(found)} of {count} free ports between {_PORTS.start} and {_PORTS.stop}")


def answers(port: int) -> bool:
    """Return whether something on this machine accepts connections on `port`."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def is_running(pid: int, create_time: float) -> bool:
    """Return whether process `pid` is alive and is the one created at `create_time` (epoch seconds)."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - create_time) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def write_private(path: Path, value: object) -> None:
    """Write `value` as JSON so that only the owner may read it and nobody ever sees half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")
    draft.replace(path)


class FolderLock:
    """One stack a data folder: an advisory lock, which the system drops however its holder ends."""

    def __init__(self, data: Path) -> None:
        self._path = data / "lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock or raise `Terminal` with the pid that holds it."""
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise Terminal(
                f"another stack (process {holder}) uses {self._path.parent}: stop it with"
                f" `lakehouse down --data {self._path.parent}`, or give this one another --data"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let the next one in. Releasing twice is fine."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Child:
    """A child process with its log and its guard."""

    def __init__(self, name: str, process: _Process, guard: _Process, log: Path) -> None:
        self.name = name
        self.log = log
        self.pid = process.pid
        self.create_time = 0.0
        self._process = process
        self._guard = guard
        with suppress(psutil.Error):  # it may have died already; `alive` tells
            self.create_time = psutil.Process(process.pid).create_time()

    @classmethod
    def start(cls, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> Child:
        """Start `argv` in a session of its own: Ctrl-C is for the stack, which ends its children in order."""
        guard = subprocess.Popen(  # noqa: S603 - our own command line
            ["/bin/sh", "-c", _GUARD, f"guard-of-{name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with log.open("wb") as out:
                process = subprocess.Popen(  # noqa: S603 - our own command line
                    list(argv),
                    env=dict(env),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            _dismiss(guard)
            raise Terminal(f"{name} cannot be started: {error}") from error
        _tell(guard, f"{process.pid}\n")
        return cls(name, process, guard, log)

    def alive(self) -> bool:
        """Return whether the child still runs."""
        return self._process.poll() is None

    def said(self, lines: int = 5) -> str:
        """Return the end of the child's log, for an error message."""
        text = self.log.read_text("utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, grace: float) -> None:
        """End the child: politely for `grace` seconds, then at once. Stopping twice is fine."""
        if self.alive() and grace > 0:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        if self.alive():
            self._process.kill()
            self._process.wait()
        _tell(self._guard, "ended\n")
        _dismiss(self._guard)


def _tell(guard: _Process, line: str) -> None:
    with suppress(OSError, ValueError):  # somebody ended the guard; `children.json` stands in for it
        if guard.stdin is not None:
            guard.stdin.write(line.encode())
            guard.stdin.flush()


def _dismiss(guard: _Process) -> None:
    if guard.stdin is not None:
        guard.stdin.close()
    guard.wait()


def wait_until(ready: Callable[[], bool], child: Child, seconds: float) -> None:
    """Poll `ready` until it holds; raise `Transient` with the log's end if the child dies or time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        late = time.monotonic() > deadline
        if late or not child.alive():
            what = f"was not ready after {seconds:g} s" if late else "ended while starting"
            raise Transient(f"{child.name} {what}; its log {child.log} ends:\n{child.said()}")
        time.sleep(0.01)


def record(path: Path, children: Sequence[Child]) -> None:
    """Write down which children run, for `end_orphans` of the next stack."""
    write_private(path, [{"name": c.name, "pid": c.pid, "create_time": c.create_time} for c in children])


def end_orphans(path: Path) -> list[str]:
    """Kill the children that an earlier stack left behind; return their names.

    A process is one of them only if pid and creation time are both as recorded: pids are used again.
    """
    try:
        recorded = json.loads(path.read_text("utf-8"))
        entries = [(str(e["name"]), int(e["pid"]), float(e["create_time"])) for e in recorded]
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
    ):  # none recorded: nothing to go by
        return []
    left = [entry for entry in entries if is_running(*entry[1:])]
    for _, pid, _ in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _KILLED_S
    while any(is_running(*entry[1:]) for entry in left):  # its ports and files are free only when it is gone
        if time.monotonic() > deadline:
            raise Transient(
                f"process {left[0][1]}, left by an earlier stack, cannot be killed: end it by hand"
            )
        time.sleep(0.01)
    path.unlink(missing_ok=True)
    return [name for name, _, _ in left]
