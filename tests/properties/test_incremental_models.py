"""A model computed in part gives the rows that it gives when computed whole, whatever changed in between."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.model_looks import looks, steps

__all__ = ["looks"]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ],  # a look takes half a second: shrinking takes minutes
)
@given(st.lists(steps, min_size=2, max_size=4))
def test_in_part_or_whole_the_rows_are_the_same(looks, listed):
    """Orders, deals, consents, events, identities that merge and split, days, zones, deleted rows."""
    looks(listed)
