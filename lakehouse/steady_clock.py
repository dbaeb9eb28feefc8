"""Time that nobody can set: seconds since the machine started, also those during which it slept.

The wall clock of a laptop may be set at any moment, so that it says nothing about how long something has lasted. Two
processes share a steady clock if they run on one machine that has not been started anew between them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class SteadyTime:
    """A moment on the steady clock of one machine since it started: `clock` names both; `seconds` count from then."""

    clock: str
    seconds: float

    def seconds_since(self, other: SteadyTime) -> float | None:
        """Return the seconds from `other` to this moment; None where they are of two clocks."""
        return self.seconds - other.seconds if self.clock and self.clock == other.clock else None


UNKNOWN: Final = SteadyTime("", 0.0)


def steady_seconds() -> float:
    """Return the time of a clock that nobody can set and that counts while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def read_steady(settings: Settings) -> SteadyTime:
    """Return this moment, or `UNKNOWN` where processes share no steady clock.

    On AWS they do not: two functions run on two machines, which may be copies of one snapshot and bear one name. Its
    wall clocks are kept right. Nor where the system does not name its start, as macOS.
    """
    clock = "" if settings.catalog == "glue" else _boot_id()
    return SteadyTime(clock, steady_seconds()) if clock else UNKNOWN


@cache
def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
