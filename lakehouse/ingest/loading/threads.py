"""Threads of a load: pieces made ahead of those who read them, pools of one or none, work that is done at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_AHEAD = 4  # pieces that are fetched and unpacked while others are read
_T = TypeVar("_T")


def ahead(items: Iterator[_T], fetcher: ThreadPoolExecutor | None) -> Iterator[_T]:
    """Yield the items; a fetcher makes the next few of them meanwhile."""
    if fetcher is None:
        yield from items
        return
    coming = deque(fetcher.submit(next, items, None) for _ in range(_AHEAD))
    while (item := coming.popleft().result()) is not None:
        coming.append(fetcher.submit(next, items, None))
        yield item


@contextmanager
def threads(number: int) -> Iterator[ThreadPoolExecutor | None]:
    """Give a pool of threads, or None for none: then all happens in the calling thread, in one order."""
    if number == 0:
        yield None
        return
    pool = ThreadPoolExecutor(number)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def at_once(work: Callable[[], _T]) -> Future[_T]:
    """Do the work here and now, and return it as if a thread had."""
    done: Future[_T] = Future()
    try:
        done.set_result(work())
    except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
        done.set_exception(error)
    return done
