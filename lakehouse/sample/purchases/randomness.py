"""Seeded randomness, one stream a purpose, and draws of one case among several."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def random_stream(seed: int, purpose: str) -> random.Random:
    """Return randomness for one purpose alone, so that a change in one does not shift another."""
    return random.Random(f"{seed}/{purpose}")  # noqa: S311 - sample data, no secret


def draw_case(rng: random.Random, shares: Mapping[str, float]) -> str | None:
    """Return one of the cases, each with its share (their sum is at most 1), or None for what is left."""
    draw, bound = rng.random(), 0.0
    for case, share in shares.items():
        bound += share
        if draw < bound:
            return case
    return None
