"""Batches keep every item, in order, within every limit."""

from __future__ import annotations

from itertools import chain, count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.batching import Limit, batches


@pytest.mark.parametrize(
    ("sizes", "most", "limit", "expected"),
    [
        ([], 2, 10, []),
        ([1], 2, 10, [[1]]),
        ([1, 1, 1], 2, 10, [[1, 1], [1]]),
        ([4, 6, 1], 9, 10, [[4, 6], [1]]),
        ([4, 7, 1], 9, 10, [[4], [7, 1]]),
        ([99, 1, 99], 9, 10, [[99], [1], [99]]),
        ([0, 0, 0], 2, 0, [[0, 0], [0]]),
    ],
)
def test_batches_end_at_the_count_or_the_limit(sizes, most, limit, expected) -> None:
    """An item that is too large for any batch stands alone; the sum may reach a limit, and not pass it."""
    assert list(batches(sizes, Limit(lambda size: size, limit), count=most)) == expected


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))), st.integers(1, 5))
def test_nothing_is_lost_and_no_limit_is_passed(items, most) -> None:
    """Whatever the weights, every batch of more than one item is within all limits, and could not take the next."""
    limits = (Limit(lambda item: item[0], 12), Limit(lambda item: item[1], 7))
    cut = list(batches(items, *limits, count=most))
    assert list(chain.from_iterable(cut)) == items
    for number, batch in enumerate(cut):
        following = cut[number + 1] if number + 1 < len(cut) else None
        sums = [sum(map(limit.weigh, batch)) for limit in limits]
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or all(
            total <= limit.maximum for total, limit in zip(sums, limits, strict=True)
        )
        if following is not None:
            longer = [total + limit.weigh(following[0]) for total, limit in zip(sums, limits, strict=True)]
            full = len(batch) == most
            assert full or any(total > limit.maximum for total, limit in zip(longer, limits, strict=True))


def test_items_are_taken_as_batches_are() -> None:
    """A stream without an end can be cut; no more is taken of it than is needed."""
    taken = []
    stream = (taken.append(number) or number for number in count())
    assert next(batches(stream, count=2)) == [0, 1]
    assert len(taken) <= 3
