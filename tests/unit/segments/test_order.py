"""Segments that name others are evaluated after them; circles and unknown names cannot stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.segments.definition import Segment
from lakehouse.segments.order import evaluation_order


def segment(name: str, include: str = "", exclude: str = "") -> Segment:
    return Segment(
        name=name, title="T", doc="D", where="true", include=tuple(include), exclude=tuple(exclude)
    )


@pytest.mark.parametrize(
    ("segments", "order", "wrong"),
    [
        ([segment("a", "b"), segment("b", exclude="c"), segment("c")], "cba", {}),
        ([segment("a", "a")], "", {"a": "it names itself: a → a"}),
        ([segment("a", "b"), segment("b", "a"), segment("c", "a")], "c", {
            "a": "it names itself: a → b → a", "b": "it names itself: b → a → b",
        }),
        ([segment("a", "x"), segment("b", "a")], "b", {"a": "there is no segment x; there are a, b, w"}),
        ([segment("a", "w")], "a", {}),
    ],
)  # fmt: skip
def test_who_is_named_comes_first(segments, order, wrong):
    """One that is wrong, or cannot be read, keeps its members: others may name it."""
    found, said = evaluation_order(segments, {"w"})
    assert "".join(s.name for s in found) == order
    assert said == wrong


NAMES = "abcde"


@given(st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES)), min_size=1))
def test_each_segment_is_ordered_or_wrong(named):
    """And wrong is exactly who names one that there is not, or reaches itself by others that stand."""
    segments = [segment(name, "".join(sorted(others))) for name, others in sorted(named.items())]
    found, wrong = evaluation_order(segments)
    unknown = {name for name, others in named.items() if others - named.keys()}
    reach = {name: set(others) for name, others in named.items() if name not in unknown}
    for _ in NAMES:
        reach = {n: r | {x for o in r for x in reach.get(o, set())} for n, r in reach.items()}
    expected = unknown | {name for name, others in reach.items() if name in others}
    assert wrong.keys() == expected
    order = [s.name for s in found]
    assert sorted(order) == sorted(named.keys() - expected)
    for position, one in enumerate(found):
        assert not set(one.names) & set(order[position:])  # all come after those that they name
