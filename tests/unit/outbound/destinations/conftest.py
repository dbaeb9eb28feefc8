"""A world of each destination: itself, a simulator, and a wire between them on which faults happen."""

from __future__ import annotations

import pytest
import stamina

from tests.support.destination_worlds import World


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Make a world by its name; nothing waits in it."""
    with stamina.set_testing(True, attempts=4):
        yield lambda name: World(name, tmp_path, monkeypatch)
