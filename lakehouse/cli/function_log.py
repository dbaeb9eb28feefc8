"""Where a command that does a function's work logs: the file that functions log to, since the screen is a person's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def logged(data: Path) -> Iterator[None]:
    """Send what is logged meanwhile to `logs/functions.log` in the data folder."""
    from lakehouse.local.runtime.logs import log_to

    folder = data / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    undo = log_to(folder / "functions.log")
    try:
        yield
    finally:
        undo()
