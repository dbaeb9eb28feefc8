"""How long work says how far it is. A command shows it to a person; everybody else passes `no_progress`."""

from __future__ import annotations

from threading import Lock
from typing import Protocol


class Progress(Protocol):
    """Hears of progress, perhaps in several threads."""

    def __call__(self, step: str, /, done: int = 0, total: int = 0) -> None:
        """Hear that `done` of `total` units of a step are done; `total` 0: how many there are is unknown.

        `step` is shown to a person: the name of a table or file, or what is being done. Units are bytes, rows, files
        or tables; only their ratio is shown.
        """


def no_progress(step: str, done: int = 0, total: int = 0) -> None:
    """Tell nobody."""


class ProgressSum:
    """Adds up what several threads have done of one step, and tells the sum."""

    def __init__(self, progress: Progress, step: str, total: int = 0) -> None:
        self._progress = progress
        self._step = step
        self._total = total
        self._done = 0
        self._lock = Lock()

    def add(self, units: int) -> None:
        """Tell that so many more units are done."""
        with self._lock:
            self._done += units
            self._progress(self._step, self._done, self._total)
