"""Write keys: which source a sender of tracked events writes to, from where, and how often.

They stand in a secret, by source: a list of the keys that are active now, several during a rotation, or an object:

    {"web": ["key"], "app": {"keys": ["new", "old"], "origins": ["https://shop.example"], "requests_per_second": 50}}

Without `origins` any page may send, without `requests_per_second` as often as it likes.
"""

from __future__ import annotations

import hmac
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse import telemetry
from lakehouse.landing.policy import WriteKeyPolicy
from lakehouse.secrets import secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakehouse.settings import Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


@dataclass(frozen=True)
class Sender:
    """Whose events a write key lets in. `requests_per_second` is for each running function; None: without a limit."""

    source: str
    origins: frozenset[str] = frozenset()
    requests_per_second: float | None = None

    def may_send_from(self, origin: str | None) -> bool:
        """Tell whether a page of this origin may send; a sender that is no browser has none."""
        return not self.origins or origin is None or origin in self.origins


def find_sender(settings: Settings, key: str) -> Sender | None:
    """Return the sender of a write key; None where there is no such key.

    Raises as `lakehouse.secrets.secret` does. The time it takes does not tell how much of a key was right.
    """
    kept = secret(settings.collect_secret, max_age_seconds=WriteKeyPolicy.max_age_seconds)
    found = None
    for active, sender in _senders(kept):
        if hmac.compare_digest(active.encode(), key.encode("utf-8", "surrogatepass")):
            found = sender
    return found


def _senders(kept: dict[str, Any]) -> Iterator[tuple[str, Sender]]:
    """Yield each active key with its sender. What is written wrongly lets nobody in, and costs no other source."""
    for source, value in kept.items():
        entry = value if isinstance(value, dict) else {"keys": value}
        keys, origins = _texts(entry.get("keys")), _texts(entry.get("origins", []))
        limit = entry.get("requests_per_second")
        if keys is None or origins is None or not _NAME.fullmatch(source) or not _is_limit(limit):
            telemetry.warn("write keys of a source are written wrongly, and let nobody in", reason=source)
            continue
        sender = Sender(source, frozenset(origins), limit)
        yield from ((key, sender) for key in keys if key)


def _texts(value: Any) -> list[str] | None:
    """Return a list of texts; None where a value is none."""
    return value if isinstance(value, list) and all(isinstance(one, str) for one in value) else None


def _is_limit(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0)


class RateLimits:
    """Buckets of tokens, one a source: a second's worth at most, refilled as time goes by."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens left, and when that was

    def wait_seconds(self, sender: Sender) -> float:
        """Return 0 and take a token, or how many seconds it takes until there is one."""
        rate = sender.requests_per_second
        if rate is None:
            return 0.0
        now = self._clock()
        most = max(1.0, rate)
        left, then = self._buckets.get(sender.source, (most, now))
        tokens = min(most, left + (now - then) * rate)
        self._buckets[sender.source] = (max(0.0, tokens - 1) if tokens >= 1 else tokens, now)
        return 0.0 if tokens >= 1 else (1 - tokens) / rate
