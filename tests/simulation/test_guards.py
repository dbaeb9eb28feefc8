"""Each guard of exactly-once, taken out: the simulation notices, on the night that the guard names."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tests.simulation.guards import GUARDS
from tests.simulation.nights import KINDS, Night, every_night

_played: dict[Night | None, dict[str, Any]] = {}


def play(simulation: Any, night: Night | None) -> dict[str, Any]:
    """Play the day with this night, with every guard in its place, or return how it went before."""
    if night not in _played:
        _played[night] = simulation.play(night=asdict(night) if night else {})
    return _played[night]


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_that_is_missing_is_noticed(simulation, name):
    """With it nothing is wrong, without it something is. `--nights --without GUARD` shows which nights notice."""
    night = GUARDS[name].night
    assert play(simulation, night)["wrong"] == []
    assert simulation.play(night=asdict(night) if night else {}, without=name)["wrong"]


def test_each_commit_has_its_nights(simulation):
    """What `--nights` plays: every commit of the day, before and after, with expiry and without."""
    nights = every_night(play(simulation, None)["commits"])
    assert {night.kind for night in nights} == set(KINDS)
    assert {night.table for night in nights} >= {"raw.shop_orders", "raw.events", "core.order_copies"}
    assert len(nights) == len(set(nights)) > 100
