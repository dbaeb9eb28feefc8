"""Progress from several threads adds up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from lakehouse.progress import ProgressSum, no_progress


def test_threads_add_up() -> None:
    """Each call tells the sum so far, which never falls."""
    told = []
    total = ProgressSum(lambda step, done, of: told.append((step, done, of)), "upload", 100)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(total.add, [10] * 10))
    assert told == [("upload", 10 * n, 100) for n in range(1, 11)]


def test_nobody_needs_to_listen() -> None:
    """The default takes what every listener takes."""
    assert no_progress("step", 1, 2) is None
