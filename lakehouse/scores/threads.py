"""Linear algebra and trees in one thread: the problems are small, and on a busy machine threads wait for others."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which the libraries that are loaded by now use one thread."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - not at start-up

    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits
