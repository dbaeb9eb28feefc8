"""One process plays all simulations of a test run: the clock and the ids of pytest's own stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulation.lead import Player, player

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def simulation() -> Iterator[Player]:
    with player() as mine:
        yield mine
