"""A stack's functions together: called by name, started and stopped as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import Terminal
from lakehouse.local.runtime.runner import Runner
from lakehouse.local.wiring.resources import Wiring

if TYPE_CHECKING:
    from pathlib import Path


def test_a_runner_without_queues_starts_and_stops(tmp_path: Path) -> None:
    """Nothing is under way, and a function that the wiring lacks cannot be called."""
    nothing = Wiring([], [], [], [], {}, [], [], [], [])
    runner = Runner(nothing, {}, tmp_path / "schedules.json", tmp_path / "definitions")
    runner.start()
    with pytest.raises(Terminal, match="no function 'f'"):
        runner.invoke("f", {})
    assert runner.stop(1.0) == 0
