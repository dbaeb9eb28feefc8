"""A process that dies at a write leaves nothing that the next one cannot put right."""

from __future__ import annotations

import pytest

EVERY = 5  # of the writes, here; `make simulate` crashes all of them


@pytest.fixture(scope="module")
def clean(simulation):
    """The tale without a crash."""
    tale = simulation.play(crash=[])
    assert tale["wrong"] == []
    assert tale["writes"] > 50
    return tale


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_write_changes_nothing_in_the_end(simulation, clean, when):
    """The tables are those of the run without a crash, row by row."""
    begin = 1 if when == "before" else 1 + EVERY // 2
    for number in range(begin, clean["writes"] + 1, EVERY):
        tale = simulation.play(crash=[number, when])
        assert tale["wrong"] == [], (number, when)
        assert tale["tables"] == clean["tables"], (number, when)
