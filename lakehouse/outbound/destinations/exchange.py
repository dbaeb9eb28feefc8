"""One request to a destination, sent as often as that may help; and whether a try without an answer may have written.

Nothing of a customer is in an error's text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import httpx
import stamina

from lakehouse.errors import Transient
from lakehouse.outbound.destinations import NotSent
from lakehouse.outbound.destinations.limits import NoLimit
from lakehouse.outbound.policy import RequestPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.outbound.destinations.limits import Limit

T = TypeVar("T")

# The request is refused as a whole, or it may be sent again later; beside them 5xx, which may have been carried out.
REFUSED: Final = frozenset({400, 409, 413, 422})
LATER: Final = frozenset({408, 423, 425, 429, 477})
SERVER_ERROR: Final = 500


class Refused(Exception):  # noqa: N818 - a verdict on a request
    """All rows of a request were refused; `code` is the destination's word for why, never a message.

    `after_lost`: an earlier try of the same request may have been carried out. `existing`: the record that stands in
    the way, where it is named.
    """

    def __init__(self, code: str, after_lost: bool = False, existing: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.after_lost = after_lost
        self.existing = existing


class Lost(Transient):
    """The request left, must not be sent twice, and its answer is not known: who asked says so of its rows."""


class AskAgain(Exception):  # noqa: N818 - not an error but a request
    """Ask once more; after `wait` seconds where that was said. `done`: what was asked for may have been done."""

    def __init__(self, reason: str, wait: float | None = None, *, done: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.done = done


class OwnLimitReached(AskAgain):
    """A limit that workers share keeps a request back for longer than they wait; the destination was not asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, math.inf, done=False)


class QuotaSpent(AskAgain):
    """The destination has no requests left today, and does not say until when."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, done=False)


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What a request brought. `after_lost`: an earlier try of the same request may have been carried out, too."""

    value: T
    after_lost: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """How a request is asked: whom (for errors), until when by `clock` (seconds), and whether it may be sent twice.

    `limit` is what the destination allows all workers together; it is asked before each try.
    """

    who: str
    deadline: float
    clock: Callable[[], float]
    may_repeat: bool = True
    limit: Limit = field(default_factory=NoLimit)


class Patience:
    """Decides whether and when a request is sent again; how long a destination makes it wait in all is limited."""

    def __init__(self, *, may_repeat: bool = True) -> None:
        self._waited = 0.0
        self._may_repeat = may_repeat

    def __call__(self, error: Exception) -> bool | float:
        """Return False, True (after the usual wait), or after how many seconds."""
        if not isinstance(error, httpx.TransportError | AskAgain):
            return False
        if may_be_done(error) and not self._may_repeat:
            return False
        if isinstance(error, httpx.TransportError) or error.wait is None:
            return True
        self._waited += error.wait
        return error.wait if self._waited <= RequestPolicy.patience_seconds else False


def until_answered(once: Callable[[], T], asking: Asking) -> Answered[T]:
    """Call `once`, which sends a request and reads its answer, as often as it takes.

    `once` raises httpx's errors, `AskAgain`, `Refused` and Terminal; the latter two end it. Raises NotSent when no try
    can have been carried out, Lost when one may have been that must not be repeated, Transient when it takes too long.
    """
    lost = False
    later: type[Transient] = NotSent
    try:
        for attempt in stamina.retry_context(
            on=Patience(may_repeat=asking.may_repeat),
            attempts=RequestPolicy.attempts,
            timeout=None,
            wait_initial=RequestPolicy.first_wait_seconds,
            wait_max=RequestPolicy.longest_wait_seconds,
            wait_jitter=RequestPolicy.jitter_seconds,
        ):
            with attempt:
                if asking.clock() > asking.deadline:
                    raise later(f"{asking.who} is too slow for one chunk; the chunk is tried again")
                try:
                    asking.limit.take()
                    value = _read(once)
                except (httpx.TransportError, AskAgain) as error:
                    lost = lost or may_be_done(error)
                    later = (Transient if asking.may_repeat else Lost) if lost else NotSent
                    raise
                else:
                    asking.limit.succeeded()
                    return Answered(value, after_lost=lost)
    except Refused as refused:
        asking.limit.succeeded()
        raise Refused(refused.code, after_lost=lost, existing=refused.existing) from None
    except httpx.TransportError as error:
        asking.limit.failed()
        raise later(f"{asking.who} cannot be reached ({type(error).__name__}); {_what_now(later)}") from None
    except AskAgain as error:
        _tell(asking.limit, error)
        raise later(f"{asking.who} {error.reason}; {_what_now(later)}") from None
    raise AssertionError("stamina ends by a result or an exception")


def _tell(limit: Limit, error: AskAgain) -> None:
    """Tell a destination's limit why a request was given up."""
    if isinstance(error, QuotaSpent):
        limit.rest("quota")
    elif isinstance(error, OwnLimitReached):
        return
    elif error.wait is not None and error.wait > RequestPolicy.patience_seconds:
        limit.rest("asked", error.wait)
    else:
        limit.failed()


def _read(once: Callable[[], T]) -> T:
    """Return what a request brings; AskAgain for an answer whose bytes are not what its head says."""
    try:
        return once()
    except httpx.DecodingError:
        raise AskAgain("answers with bytes that cannot be read") from None


def _what_now(error: type[Transient]) -> str:
    return "what it was asked for may have been done" if error is Lost else "the chunk is tried again"


def check_later(response: httpx.Response) -> None:
    """Raise `AskAgain` for an answer that says: later."""
    status = response.status_code
    if status in LATER:
        wait = wait_seconds(response.headers.get("Retry-After"))
        raise AskAgain(f"asks to wait ({status})", wait, done=status == httpx.codes.REQUEST_TIMEOUT)
    if status >= SERVER_ERROR:
        raise AskAgain(f"has an error of its own ({status})")


def may_be_done(error: httpx.TransportError | AskAgain) -> bool:
    """Return whether a request whose try ended so may have been carried out: it left, and its answer is not known."""
    if isinstance(error, AskAgain):
        return error.done
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def wait_seconds(header: str | None) -> float | None:
    """Return how long a `Retry-After` asks to wait: a number of seconds, or a date. None where it is neither."""
    if not header:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    in_utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((in_utc - datetime.now(UTC)).total_seconds(), 0.0)
