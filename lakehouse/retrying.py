"""Trying again: a lost race, or items that a service did not take. HTTP calls use stamina, which knows their waits.

The three loops of the project stand here, so that each says how often and how long in a `RetryPolicy`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from lakehouse.errors import CommitConflict
from lakehouse.policy import Policy

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy(Policy):
    """How often something is tried, and how long is waited in between."""

    attempts: Annotated[int, "tries in all, the first included"] = 5
    first_wait_seconds: Annotated[float, "wait before the second try; it doubles each time"] = 0.0
    longest_wait_seconds: Annotated[float, "no wait is longer"] = 1.0

    def wait(self, attempt: int) -> None:
        """Sleep after the failed `attempt` (from 1), between half of the wait and all of it."""
        longest = min(self.first_wait_seconds * 2 ** (attempt - 1), self.longest_wait_seconds)
        if longest > 0:
            time.sleep(longest * random.uniform(0.5, 1))  # noqa: S311 - jitter is no secret


def retry_on_conflict(
    work: Callable[[], T],
    policy: RetryPolicy,
    *,
    conflicts: tuple[type[Exception], ...] = (CommitConflict,),
    on_conflict: Callable[[int, Exception], None] = lambda _attempt, _error: None,
) -> T:
    """Return what `work` returns; do it again when another writer was first.

    Optimistic concurrency: `work` reads the current state each time and plans anew. `on_conflict` hears of each lost
    race, the last one too: its number from 1, and the error. Raises the last conflict when every try lost.
    """
    for attempt in range(1, policy.attempts):
        try:
            return work()
        except conflicts as error:
            on_conflict(attempt, error)
            policy.wait(attempt)
    try:
        return work()
    except conflicts as error:
        on_conflict(policy.attempts, error)
        raise


def resend_rejected(
    send: Callable[[Sequence[T]], Sequence[T]], items: Sequence[T], policy: RetryPolicy
) -> Sequence[T]:
    """Send items, then again those that `send` returns as not taken; return what nobody took in the end.

    The shape of SQS's `Failed`, and of DynamoDB's `UnprocessedItems`.
    """
    for attempt in range(1, policy.attempts + 1):
        items = send(items)
        if not items:
            return ()
        if attempt < policy.attempts:
            policy.wait(attempt)
    return items
