"""Cuts a stream of items into batches; the one place that does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Limit(Generic[T]):
    """At most `maximum` in one batch, summed over what `weigh` says of each item."""

    weigh: Callable[[T], int]
    maximum: int


def batches(items: Iterable[T], *limits: Limit[T], count: int | None = None) -> Iterator[list[T]]:
    """Yield lists of consecutive items, none empty: at most `count` of them, and within every limit.

    An item that is larger than a limit makes a batch of its own. Items are taken one at a time, as batches are.
    """
    batch: list[T] = []
    totals = [0] * len(limits)
    for item in items:
        weights = [limit.weigh(item) for limit in limits]
        full = count is not None and len(batch) >= count
        heavy = any(
            total + weight > limit.maximum
            for total, weight, limit in zip(totals, weights, limits, strict=True)
        )
        if batch and (full or heavy):
            yield batch
            batch, totals = [], [0] * len(limits)
        batch.append(item)
        totals = [total + weight for total, weight in zip(totals, weights, strict=True)]
    if batch:
        yield batch
