"""Threads of a load: one fetches pieces ahead, some read them, one writes; or none, and all happens in one order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from lakehouse.ingest.policy import LoadingPolicy

T = TypeVar("T")


@dataclass(frozen=True)
class Workers:
    """The pools of a load; None where the calling thread does the work itself."""

    fetcher: Executor | None = None
    readers: Executor | None = None
    writer: Executor | None = None


@contextmanager
def start_workers(threads: int) -> Iterator[Workers]:
    """Give the pools for so many threads that read; a single one works without pools, in the calling thread."""
    if threads <= 1:
        yield Workers()
        return
    with _pool(1) as writer, _pool(threads) as readers, _pool(1) as fetcher:
        yield Workers(fetcher, readers, writer)


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool; at the end, what has not begun yet is not done any more."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def submit(pool: Executor | None, work: Callable[[], T]) -> Future[T]:
    """Let a pool do the work; without one it is done before this returns. Its error comes with the result."""
    if pool is not None:
        return pool.submit(work)
    finished: Future[T] = Future()
    try:
        finished.set_result(work())
    except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
        finished.set_exception(error)
    return finished


def fetch_ahead(items: Iterator[T], fetcher: Executor | None) -> Iterator[T]:
    """Yield the items; a fetcher makes the next few of them meanwhile."""
    if fetcher is None:
        yield from items
        return
    coming = deque(fetcher.submit(next, items, None) for _ in range(LoadingPolicy.pieces_ahead))
    while (item := coming.popleft().result()) is not None:
        coming.append(fetcher.submit(next, items, None))
        yield item
