"""Some seeds each time; `python -m tests.simulation_publish --seeds 1000` plays many."""

from __future__ import annotations

import pytest

from tests.simulation_publish.play import play


@pytest.mark.parametrize("seed", range(12))
def test_the_crm_ends_equal_to_what_is_desired(seed):
    """Whatever is killed, lost, doubled, edited or withdrawn on the way; and everybody is known and accounted for."""
    play(seed)
