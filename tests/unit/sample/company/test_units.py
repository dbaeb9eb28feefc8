"""Units of time."""

from __future__ import annotations

from lakehouse.sample.company import units


def test_units_are_seconds() -> None:
    """As everybody counts them."""
    assert (units.MINUTE, units.HOUR, units.DAY, units.WEEK) == (60, 3_600, 86_400, 604_800)
