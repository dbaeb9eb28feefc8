"""Child processes: free ports, start, waiting until they are ready, and their end.

A guard and a record see to it that no child outlives its stack. A guard (a `sh` that waits on a pipe which only this
process holds) kills the child the moment this process is gone, whatever ended it. And `children.json` names
every child by pid and creation time, so that the next stack on the folder ends what even the guard missed.

The guard rather than Linux's PR_SET_PDEATHSIG: that signal fires when the *thread* that forked ends, needs
`preexec_fn` (unsafe once threads run) and is missing on macOS; a pipe has none of these troubles.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from lakehouse.errors import Terminal, Transient
from lakehouse.local.policy import LogPolicy, ProcessPolicy
from lakehouse.local.private_file import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    _Process = subprocess.Popen[bytes]

# Below Linux's (32768) and macOS's (49152) ephemeral ranges: no outgoing connection takes a port between the
# moment we saw it free and the moment the child binds it.
_PORTS: Final = range(20_000, 32_000)

# First line: whom to guard. Then another line means that the child was ended in order, end of file that we are gone.
_GUARD = 'read -r child && { read -r _ || kill -9 "$child"; }'


_SIGNALS: Final[dict[int, str]] = {
    signal.SIGKILL: "somebody ended it, or the system did for want of memory, which `dmesg` then says",
    signal.SIGTERM: "somebody or the system's shutdown ended it",
    signal.SIGSEGV: "it crashed",
    signal.SIGBUS: "it crashed; a full or failing disk may be why",
    signal.SIGABRT: "it gave up by itself",
    signal.SIGXFSZ: "a file grew beyond the limit of its size",
}


class EndedWhileStarting(Transient):
    """A child ended before it was ready: another process may have taken its port."""


def free_ports(count: int) -> list[int]:
    """Return `count` different loopback ports that were free a moment ago."""
    free: list[int] = []
    sockets: list[socket.socket] = []
    try:
        for port in random.sample(_PORTS, k=len(_PORTS)):
            candidate = socket.socket()
            sockets.append(candidate)
            with suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                free.append(port)
            if len(free) == count:
                return free
    finally:
        for candidate in sockets:
            candidate.close()
    raise Transient(f"found only {len(free)} of {count} free ports between {_PORTS.start} and {_PORTS.stop}")


def accepts_connections(port: int) -> bool:
    """Return whether something on this machine accepts connections on `port`."""
    address = ("127.0.0.1", port)
    with suppress(OSError), socket.create_connection(address, timeout=ProcessPolicy.connect_seconds):
        return True
    return False


def is_running(pid: int, create_time: float) -> bool:
    """Return whether process `pid` is alive and is the one created at `create_time` (epoch seconds)."""
    try:
        process = psutil.Process(pid)
        age_difference = abs(process.create_time() - create_time)
        same = age_difference < ProcessPolicy.same_process_seconds
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def has_open(pid: int, path: Path) -> bool:
    """Return whether process `pid` is alive and has a file open, which it cannot have by chance."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        wanted = str(path.resolve())
        return any(file.path == wanted for file in process.open_files())
    except (psutil.Error, OSError):
        return False


def ending(code: int) -> str:
    """Return what a process's exit code means: negative, it is the signal that killed it."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "an unknown one"
    meaning = _SIGNALS.get(-code, "")
    return f"killed by signal {-code} ({name}){meaning and f': {meaning}'}"


def rotate(log: Path) -> None:
    """Set a log aside that has become large; one earlier file is kept. It stays where that cannot be done."""
    with suppress(OSError):
        if log.stat().st_size > LogPolicy.rotate_bytes:
            log.replace(log.with_suffix(".1.log"))


def holds_within(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until `condition` holds; return False when it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(ProcessPolicy.poll_seconds)
    return True


class Child:
    """A child process with its log and its guard."""

    def __init__(self, name: str, process: _Process, guard: _Process, log: Path, log_start: int = 0) -> None:
        self.name = name
        self.log = log
        self._log_start = log_start
        self.pid = process.pid
        self.create_time = 0.0
        self._process = process
        self._guard = guard
        with suppress(psutil.Error):  # it may have died already; `alive` says so
            self.create_time = psutil.Process(process.pid).create_time()

    @classmethod
    def start(cls, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> Child:
        """Start `argv` in a session of its own: Ctrl-C is for the stack, which ends its children in order.

        What it prints goes to the end of `log`, behind what earlier ones said.
        """
        rotate(log)
        guard = subprocess.Popen(  # noqa: S603 - our own command line
            ["/bin/sh", "-c", _GUARD, f"guard-of-{name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with log.open("ab") as log_file:
                log_start = log_file.tell()
                process = subprocess.Popen(  # noqa: S603 - our own command line
                    list(argv),
                    env=dict(env),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log_file,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            _dismiss(guard)
            raise Terminal(f"{name} cannot be started: {error}") from error
        _write_line(guard, str(process.pid))
        return cls(name, process, guard, log, log_start)

    def alive(self) -> bool:
        """Return whether the child still runs."""
        return self._process.poll() is None

    def how_it_ended(self) -> str:
        """Return by what signal or with which exit code the child ended; "" while it runs."""
        code = self._process.poll()
        return "" if code is None else ending(code)

    def log_tail(self) -> str:
        """Return the last lines that this child wrote to its log, for an error message."""
        try:
            with self.log.open("rb") as file:
                file.seek(self._log_start)
                text = file.read().decode("utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-ProcessPolicy.log_tail_lines :])

    def stop(self, grace: float) -> None:
        """End the child: by SIGTERM and `grace` seconds, then by SIGKILL. Stopping twice is fine."""
        if self.alive() and grace > 0:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        if self.alive():
            self._process.kill()
            self._process.wait()
        _write_line(self._guard, "ended")
        _dismiss(self._guard)


def _write_line(guard: _Process, line: str) -> None:
    with suppress(OSError, ValueError):  # somebody ended the guard; `children.json` stands in for it
        if guard.stdin is not None:
            guard.stdin.write(f"{line}\n".encode())
            guard.stdin.flush()


def _dismiss(guard: _Process) -> None:
    if guard.stdin is not None:
        guard.stdin.close()
    guard.wait()


def wait_until(ready: Callable[[], bool], child: Child, seconds: float) -> None:
    """Return when `ready` holds.

    Raises `EndedWhileStarting` if the child ends before, `Transient` when time is up, both with the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if not child.alive():
            how = child.how_it_ended()
            raise EndedWhileStarting(f"{child.name} ended while starting, {how}; {_log_end(child)}")
        if time.monotonic() > deadline:
            raise Transient(f"{child.name} was not ready after {seconds:g} s; {_log_end(child)}")
        time.sleep(ProcessPolicy.poll_seconds)


def _log_end(child: Child) -> str:
    return f"its log {child.log} ends:\n{child.log_tail()}"


@dataclass(frozen=True)
class ChildRecord:
    """A child in `children.json`; a process of its pid is this one if it was created then, or has its log open.

    The creation time (epoch seconds) is reckoned from the clock, and moves when that is set.
    """

    name: str
    pid: int
    create_time: float
    log: str = ""  # a child holds its log open, whatever has become of the clock since

    def runs(self) -> bool:
        """Return whether the process is still there."""
        if is_running(self.pid, self.create_time):
            return True
        return bool(self.log) and has_open(self.pid, Path(self.log))


def record_children(path: Path, children: Sequence[Child]) -> None:
    """Write down which children run, for `end_orphans` of the next stack."""
    records = [ChildRecord(child.name, child.pid, child.create_time, str(child.log)) for child in children]
    write_private(path, [asdict(record) for record in records])


def end_orphans(path: Path) -> list[str]:
    """Kill the children that an earlier stack left running; return their names.

    Raises `Transient` for one that cannot be killed.
    """
    records = _recorded_children(path)
    if not records:
        return []
    orphans = [record for record in records if record.runs()]
    for orphan in orphans:
        with suppress(ProcessLookupError):
            os.kill(orphan.pid, signal.SIGKILL)
    # A process's ports and files are free only when it is gone.
    if not holds_within(lambda: not any(orphan.runs() for orphan in orphans), ProcessPolicy.kill_seconds):
        raise Transient(
            f"process {orphans[0].pid}, left by an earlier stack, cannot be killed: end it by hand"
        )
    path.unlink(missing_ok=True)
    return [orphan.name for orphan in orphans]


def _recorded_children(path: Path) -> list[ChildRecord]:
    """Return the children that a file names; none where it is missing or damaged."""
    try:
        entries = json.loads(path.read_text("utf-8"))
        return [
            ChildRecord(str(e["name"]), int(e["pid"]), float(e["create_time"]), str(e.get("log", "")))
            for e in entries
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
