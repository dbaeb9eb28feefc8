"""Which errors of a request are logged."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse import telemetry
from lakehouse.local.services import loopback
from lakehouse.local.services.loopback import LoopbackServer


@pytest.mark.parametrize(
    ("error", "logged"), [(ValueError("x"), 1), (ConnectionResetError(), 0), (TimeoutError(), 0)]
)
def test_a_broken_request_is_logged_and_a_closed_connection_is_not(
    error: Exception, logged: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its kind alone: its text may quote what was sent."""
    entries: list[Any] = []
    monkeypatch.setattr(telemetry, "failed", lambda *entry: entries.append(entry))
    nobody: Any = None
    monkeypatch.setattr(loopback.sys, "exception", lambda: error)
    LoopbackServer.handle_error(nobody, None, None)
    assert entries == [("request failed", error)] * logged
