"""The lines that `lakehouse up` prints of function calls; hints that a stage put off are folded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock

from lakehouse.command_line import DEFAULT_DATA
from lakehouse.console.policy import CallPolicy
from lakehouse.console.terminal import counted

# Stages that run on hints: while one works, those after it look, and put themselves off, again and again.
_HINTED = frozenset({"resolve", "aggregate", "export_segments", "books"})
_UNTOLD = frozenset({"sweep", "tick"})


class CallLines:
    """Words function calls as they end, from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, data: Path = DEFAULT_DATA) -> None:
        self._clock = clock
        self._log = data / "logs" / "functions.log"
        self._lock = Lock()
        self._folded: dict[str, int] = {}
        self._shown_at: dict[str, float] = {}

    def line(self, function: str, size: int, seconds: float, failures: int, now: datetime) -> str | None:
        """Return the line of a call, None for one that is not shown or is counted in a later line."""
        if function in _UNTOLD and not failures:
            return None
        moment = self._clock()
        with self._lock:
            if self._is_folded(function, seconds, failures, moment):
                self._folded[function] = self._folded.get(function, 0) + 1
                return None
            self._shown_at[function] = moment
            folded = self._folded.pop(function, 0)
        line = _worded(function, size, seconds, {"failures": failures, "folded": folded}, now)
        return f"{line}; [red]why is in {self._log}[/]" if failures else line

    def _is_folded(self, function: str, seconds: float, failures: int, moment: float) -> bool:
        if function not in _HINTED or failures or seconds >= CallPolicy.short_seconds:
            return False
        return moment - self._shown_at.get(function, float("-inf")) < CallPolicy.fold_seconds


def _worded(function: str, size: int, seconds: float, counts: Mapping[str, int], now: datetime) -> str:
    what = counted(size, "message")
    failures = counts["failures"]
    wrong = f", [red]{failures} to be tried again[/]" if failures else ""
    short = f", after {counted(counts['folded'], 'short call')}" if counts["folded"] else ""
    return f"{now:%H:%M:%S}  {function:<16} {what:<14} {seconds:6.1f} s{wrong}{short}"
