"""Object store and catalog for a Python program that reads the tables while no stack runs.

A child process holds them, so that the program's own environment stays as it is. The child ends when the last
connection that needs it is gone, or the program is, however it ends: its standard input closes then.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, Final
from weakref import finalize

from lakehouse.command_line import command_line
from lakehouse.errors import LakehouseError, Terminal, Transient
from lakehouse.local.attachment import attach_when_ready, interruptible
from lakehouse.local.services.processes import ending

_READY: Final = "ready"
_held: dict[Path, StoreHolder] = {}
_lock = threading.Lock()


class StoreHolder:
    """The child process that holds the store of one data folder, and how many connections need it."""

    def __init__(self, data: Path) -> None:
        """Start the child and wait until the store answers. Raises Transient, with the reason, when it does not."""
        self.data = data
        self.connections = 0
        self._process = subprocess.Popen(  # noqa: S603 - this very module
            [sys.executable, "-m", __name__, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C in a notebook interrupts a query, not the store
        )
        answer = self._process.stdout.readline().strip() if self._process.stdout else ""
        if answer != _READY:
            self.stop()
            reason = answer or f"its process ended, {ending(self._process.returncode)}"
            raise Transient(f"the store of {data} did not start: {reason}")

    def stop(self) -> None:
        """End the child and wait until it is gone."""
        self._process.communicate()


def hold_store(data: Path) -> StoreHolder | None:
    """Make sure that a store runs on `data`; return the holder that was needed for it, None where a stack runs.

    Raises Terminal when the folder holds no stack's data, Transient when the store does not start.
    """
    data = data.absolute()
    with _lock:
        if data in _held:
            return _held[data]
        if attach_when_ready(data, wanted=lambda info: info.services == "all") is not None:
            return None
        if not (data / "store").is_dir():
            raise Terminal(
                f"no stack runs on {data}, it holds no data to read, and LAKEHOUSE_CATALOG is not set: run "
                f"`{command_line('demo', data)}`, or start a stack with `{command_line('up', data)}`"
            )
        _held[data] = StoreHolder(data)
        return _held[data]


def release_with(connection: Any, holder: StoreHolder) -> None:
    """Stop the store once this connection, and every other that needs it, is closed by the garbage collector."""
    with _lock:
        holder.connections += 1
    finalize(connection, _release, holder)


def _release(holder: StoreHolder) -> None:
    with _lock:
        holder.connections -= 1
        if holder.connections > 0:
            return
        _held.pop(holder.data, None)
    holder.stop()


def _close_with(stream: IO[str], stopping: threading.Event) -> None:
    stream.read()
    stopping.set()


def main(data: Path) -> int:
    """Hold the store of a data folder until standard input closes; say `ready`, or why not, in one line."""
    from lakehouse.local.stack import Stack  # noqa: PLC0415 - whoever asks for a store needs none of it

    with interruptible() as stopping:
        threading.Thread(target=_close_with, args=(sys.stdin, stopping), daemon=True).start()
        try:
            with Stack(data) as stack:
                stack.start("store")
                sys.stdout.write(f"{_READY}\n")
                sys.stdout.flush()
                stack.wait(stopping)
        except LakehouseError as error:
            sys.stdout.write(str(error).splitlines()[0] + "\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
