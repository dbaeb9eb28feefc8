"""What segments were computed for stands with the members, and is read from there."""

from __future__ import annotations

from lakehouse.segments import due
from lakehouse.segments.schedule import Slot


def test_slots_are_read_as_they_were_noted(monkeypatch):
    """Beside what else the members were computed from; members of before there were any have none."""
    slots = {
        "a": Slot("every hour UTC", "2026-03-01T00:00:00+00:00", "2026-03-01T00:00:05+00:00", "v"),
        "b": Slot("x", ""),
    }
    noted = {"marts.rfm": "1", **due.noted(slots)}
    monkeypatch.setattr(due.commit, "inputs", lambda table: noted if table == "now" else {})
    assert due.slots_in("now") == slots
    assert due.slots_in("before") == due.slots_in(None) == {}
