"""Models of orders computed in part, or not at all, give the rows that they give when computed whole."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.order_looks import order_looks, steps

__all__ = ["order_looks"]


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a look takes seconds: shrinking takes minutes
)
@given(st.lists(steps, min_size=2, max_size=3))
def test_in_part_or_whole_the_rows_are_the_same(order_looks, listed):
    """Orders that change hands, lines, returns, orders below zero, regions of customers, names of products."""
    order_looks(listed)
