"""What a zone may be called."""

from __future__ import annotations

import pytest

from lakehouse.sources import zones


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("Asia/Shanghai", True),
        ("UTC", True),
        ("Mars/Base", False),
        ("/etc/passwd", False),
        ("Asia", False),
        ("", False),
    ],
)
def test_a_zone_is_known_by_its_name(name, is_one):
    """A path and a folder of zones are none."""
    assert zones.is_zone(name) is is_one


def test_a_machine_without_zones_takes_any_name(monkeypatch):
    """DuckDB, which reads the times, has a list of its own."""
    monkeypatch.setattr(zones, "TZPATH", ("/nowhere",))
    assert zones.is_zone("Mars/Base")
