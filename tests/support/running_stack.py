"""A stack as a person starts it: `lakehouse up` in a process of its own, and other commands beside it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakehouse.local.attachment import attach
from lakehouse.local.session import session
from lakehouse.settings import named_or_running
from lakehouse.stages import status as stages_status
from tests.support.questions import ask

_SLOWER, _LONGEST_PAUSE = 1.2, 0.5  # seconds
COMMAND = [sys.executable, "-c", "from lakehouse.cli import main; main()"]


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def until(what: Callable[[], Any], seconds: float, pause: float = 0.1) -> Any:
    """Return what `what` returns once that is true; fail after `seconds`.

    It is asked every `pause` seconds, and then less often, twice a second: who asks takes the processor from those who
    work on it.
    """
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(pause)
        pause = max(pause, min(pause * _SLOWER, _LONGEST_PAUSE))
    return found


def count(data: Path, table: str, where: str) -> int:
    """Return how many rows of a table fulfil a condition, none where nobody has made it yet; it opens no other.

    It asks in this process: to start a command takes forty times as long.
    """
    [(number,)] = ask(named_or_running(data), f"SELECT count(*) FROM {table} WHERE {where}")
    return int(number)


def status_here(data: Path) -> dict[str, Any]:
    """Return what `lakehouse status` would say: to start the command takes thirty times as long as to find out."""
    with session(data, "store") as settings:
        return stages_status.status(settings)


@contextmanager
def up(data: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `lakehouse up` as a process of its own until the block ends."""
    with started(data, "http", "up", "--data", str(data), *arguments) as process:
        yield process


@contextmanager
def started(data: Path, endpoint: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that keeps a stack on the data folder, from when it has an endpoint until the block ends."""
    with (data.parent / f"{data.name}.log").open("ab") as log:
        process = subprocess.Popen([*COMMAND, *command], stdout=log, stderr=log)
    try:
        until(lambda: process.poll() is not None or ((i := attach(data)) and endpoint in i.endpoints), 60)
        assert process.poll() is None, (data.parent / f"{data.name}.log").read_text()[-2000:]
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(30)
