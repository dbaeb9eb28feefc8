"""Randomness is one stream a purpose, and a case comes as often as its share says."""

from __future__ import annotations

import pytest

from lakehouse.sample.purchases.randomness import draw_case, random_stream


class FixedDraw:
    """Draws one number always."""

    def __init__(self, draw: float) -> None:
        self._draw = draw

    def random(self) -> float:
        return self._draw


def test_purposes_do_not_shift_each_other() -> None:
    """The same purpose draws the same; another purpose or seed something else."""
    draws = {(seed, purpose): random_stream(seed, purpose).random() for seed in (1, 2) for purpose in "ab"}
    assert len(set(draws.values())) == 4
    assert random_stream(1, "a").random() == draws[1, "a"]


@pytest.mark.parametrize(
    ("draw", "case"), [(0.0, "first"), (0.24, "first"), (0.25, "second"), (0.74, "second"), (0.75, None)]
)
def test_a_case_is_drawn_by_its_share(draw: float, case: str | None) -> None:
    """A draw falls into the part of [0, 1) that belongs to a case, or into what no case has."""
    rng = FixedDraw(draw)
    assert draw_case(rng, {"first": 0.25, "second": 0.5}) == case  # type: ignore[arg-type]
