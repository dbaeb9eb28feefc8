"""What a destination allows all workers together: requests in so many seconds, requests a day, and rest after failures.

Pure: what a state says, and what it becomes. `limits_table` keeps it where all workers see it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lakehouse.outbound.policy import LimitPolicy

if TYPE_CHECKING:
    from datetime import tzinfo

    from lakehouse.outbound.destinations.definition import Rate

Why = Literal["quota", "asked", "failures", ""]
_NO_QUOTA: Final = 10**12


@dataclass(frozen=True, slots=True)
class Limits:
    """What a destination allows: `rate` of all workers, `quota` requests a day of `zone`; None where none is known."""

    rate: Rate | None = None
    quota: int | None = None
    zone: str = "UTC"

    @property
    def apart(self) -> float:
        """Return how many seconds lie between two requests, of whichever workers."""
        if self.rate is None:
            return 0.0
        return self.rate.seconds / (self.rate.requests * LimitPolicy.rate_share)

    @property
    def most_a_day(self) -> int:
        """Return the requests of a day; a number nobody reaches where there is no quota."""
        return _NO_QUOTA if self.quota is None else self.quota

    def day(self, now: float) -> str:
        """Return the day that a moment (seconds since 1970) is in, where the destination is."""
        return datetime.fromtimestamp(now, zone_of(self.zone)).date().isoformat()

    def next_day(self, now: float) -> float:
        """Return when the destination's day turns next, in seconds since 1970."""
        local = datetime.fromtimestamp(now, zone_of(self.zone))
        tomorrow = local.date() + timedelta(days=1)
        return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=local.tzinfo).timestamp()


@dataclass(frozen=True, slots=True)
class Spent:
    """How much of its limits a destination's workers have used; moments are seconds since 1970.

    `next_at`: when the next request may leave. `used`: requests of `day`. `failures`: requests in a row that failed for
    good. `closed_until`: nothing leaves before, for `closed_by`.
    """

    next_at: float = 0.0
    day: str = ""
    used: int = 0
    failures: int = 0
    closed_until: float = 0.0
    closed_by: Why = ""

    def is_closed(self, now: float) -> bool:
        """Return whether nothing may leave; a moment farther ahead than any was written before a clock was set back."""
        return now < self.closed_until <= now + LimitPolicy.longest_pause.total_seconds()


@dataclass(frozen=True, slots=True)
class Closed:
    """A destination takes nothing until a moment: its day's requests are used up, it asks for it, or it fails."""

    why: Why
    until: datetime

    @property
    def reason(self) -> str:
        """Return why and until when, in words."""
        said = {
            "quota": "has no requests left today",
            "asked": "asks to be left alone",
            "failures": "has failed too often in a row, and is left alone",
        }
        return f"{said.get(self.why, 'is closed')} until {self.until:%Y-%m-%d %H:%M} UTC"


class Limit(Protocol):
    """The limits of one destination as a worker meets them."""

    def take(self) -> None:
        """Wait until one request may leave; raises `exchange.AskAgain` where that is too long."""

    def rest(self, why: Why, seconds: float | None = None) -> None:
        """Hear that the destination asks for rest, for so many seconds; None where it does not say how many."""

    def failed(self) -> None:
        """Hear that a request was given up."""

    def succeeded(self) -> None:
        """Hear that a request was answered."""


class NoLimit:
    """Of a destination of which nothing is shared."""

    def take(self) -> None:
        """Let it leave."""

    def rest(self, why: Why, seconds: float | None = None) -> None:
        """Do nothing: the chunk comes back."""

    def failed(self) -> None:
        """Do nothing."""

    def succeeded(self) -> None:
        """Do nothing."""


def take(spent: Spent, limits: Limits, now: float) -> tuple[Spent, float | None]:
    """Return what is spent with one request more, and when that may leave.

    None, and nothing taken, where that is later than a worker waits, and where the destination is closed, which the
    quota of the day may bring about.
    """
    if spent.is_closed(now):
        return spent, None
    today = limits.day(now)
    used = spent.used if spent.day == today else 0
    if used >= limits.most_a_day:
        return close(replace(spent, day=today, used=used), "quota", limits.next_day(now)), None
    slot = max(spent.next_at, now)
    if slot > now + LimitPolicy.longest_pause.total_seconds():  # written before a clock was set back
        slot = now
    if slot > now + LimitPolicy.slot_patience_seconds:
        return spent, None
    return replace(spent, next_at=slot + limits.apart, day=today, used=used + 1), slot


def close(spent: Spent, why: Why, until: float) -> Spent:
    """Return what is spent of a destination that takes nothing until a moment."""
    return replace(spent, closed_until=until, closed_by=why)


def after_failure(spent: Spent, now: float) -> Spent:
    """Return what is spent after a request that was given up: after several in a row it is closed, longer each time."""
    failures = spent.failures + 1
    failed = replace(spent, failures=failures)
    beyond = failures - LimitPolicy.failures_in_a_row
    if beyond < 0 or spent.is_closed(now):
        return failed
    first, longest = LimitPolicy.first_pause, LimitPolicy.longest_failure_pause
    pause = min(first * 2 ** min(beyond, 16), longest)
    return close(failed, "failures", now + pause.total_seconds())


def closed_of(spent: Spent, now: float) -> Closed | None:
    """Return why a destination takes nothing now; None where it does."""
    if not spent.is_closed(now):
        return None
    return Closed(spent.closed_by, datetime.fromtimestamp(spent.closed_until, UTC))


def zone_of(name: str) -> tzinfo:
    """Return a zone by its IANA name, by the database that python-dateutil brings where the system has none.

    ValueError for one that there is not.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        from dateutil.zoneinfo import get_zonefile_instance  # noqa: PLC0415 - botocore brings it, and few need it

        found: tzinfo | None = get_zonefile_instance().get(name)
        if found is None:
            raise ValueError(f"there is no time zone {name!r}") from None
        return found
