"""What is remembered of definitions is remembered of the very objects, in their order."""

from __future__ import annotations

import gc

from lakehouse.sources.definition import load
from lakehouse.sources.same_sources import SameSources


def test_the_same_objects_in_the_same_order_are_equal():
    """Another order is another key, as is one that is a part; what says the same is other sources."""
    one, other, *_ = load().values()
    assert SameSources([one, other]) == SameSources(iter([one, other]))
    assert hash(SameSources([one, other])) == hash(SameSources([one, other]))
    assert len({SameSources([one, other]), SameSources([other, one]), SameSources([one])}) == 3
    assert SameSources([one]) != SameSources([one.model_copy()])
    assert SameSources([one]) != (one,)
    assert list(SameSources([one, other])) == [one, other]


def test_a_source_is_kept_as_long_as_its_key():
    """Else a later one could get its id, and what was made of the first."""
    one, *_ = load().values()
    key = SameSources([one.model_copy()])
    gc.collect()
    assert all(SameSources([one.model_copy()]) != key for _ in range(100))
