"""What a sync would send, and what would keep it from being sent."""

from __future__ import annotations

import pytest

from lakehouse.outbound.definition import load_syncs
from lakehouse.outbound.preview import Preview
from lakehouse.settings import Settings
from lakehouse.stages import export, publish, sync_orders


@pytest.mark.parametrize(
    ("brake", "unreachable", "told"),
    [
        ("", {"mine": "points inward"}, "points inward"),
        ("a brake", {"mine": "points inward"}, "a brake"),
        ("", {"other": "points inward"}, ""),
    ],
)
def test_a_dry_run_tells_a_destination_that_may_not_be_reached(monkeypatch, brake, unreachable, told):
    """A brake stops it before, and another sync's destination is none of its business."""
    found = Preview("mine", 1, 0, 0, 1, 0, {}, {}, 0, 0, brake, {})
    monkeypatch.setattr(publish, "_order", lambda *_: (load_syncs(None)["hubspot_segments"], "wanted"))
    monkeypatch.setattr(publish.segments, "inputs", lambda _: {"marts.rfm": "1"})
    monkeypatch.setattr(export, "inputs_of", lambda *_: {})
    monkeypatch.setattr(export, "request_of", lambda *_: None)
    monkeypatch.setattr(publish, "preview", lambda *_: found)
    monkeypatch.setattr(sync_orders, "unreachable", lambda _: unreachable)
    assert publish.dry_run(Settings(), "mine").stopped == told
