"""Threads of a load: with one, everything happens in the calling thread and in one order."""

from __future__ import annotations

import threading

import pytest

from lakehouse.ingest.loading.threads import fetch_ahead, start_workers, submit
from lakehouse.ingest.policy import LoadingPolicy


def test_one_thread_works_without_pools():
    """The work is done when it is submitted, by whoever submits it."""
    with start_workers(1) as workers:
        assert (workers.fetcher, workers.readers, workers.writer) == (None, None, None)
        done = submit(workers.readers, threading.get_ident)
        assert done.done()
        assert done.result() == threading.get_ident()


def test_several_threads_work_in_pools():
    """One for each kind of work, and none goes on after the end."""
    with start_workers(2) as workers:
        pools = [workers.fetcher, workers.readers, workers.writer]
        idents = {submit(pool, threading.get_ident).result() for pool in pools}
    assert len(idents - {threading.get_ident()}) == 3
    for pool in pools:
        with pytest.raises(RuntimeError):
            pool.submit(print)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_comes_with_the_result(threads):
    """Not where the work is submitted."""

    def fail():
        raise OSError("the disk is full")

    with start_workers(threads) as workers:
        work = submit(workers.writer, fail)
        with pytest.raises(OSError, match="the disk is full"):
            work.result()


@pytest.mark.parametrize("threads", [1, 2])
def test_items_keep_their_order(threads):
    """Whoever makes them."""
    with start_workers(threads) as workers:
        assert list(fetch_ahead(iter(range(1, 20)), workers.fetcher)) == list(range(1, 20))
        assert list(fetch_ahead(iter(()), workers.fetcher)) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_few_items_are_made_ahead(threads):
    """Scratch disk holds them: as many as the policy says with a fetcher, else none."""
    made = []

    def make():
        for number in range(1, 20):
            made.append(number)
            yield number

    with start_workers(threads) as workers:
        items = fetch_ahead(make(), workers.fetcher)
        next(items)
    assert len(made) <= (1 if threads == 1 else LoadingPolicy.pieces_ahead + 1)
