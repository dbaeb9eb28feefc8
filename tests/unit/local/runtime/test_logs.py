"""Where functions log on a laptop, and what a failure's log entry may say."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from lakehouse import telemetry
from lakehouse.errors import Transient
from lakehouse.local.policy import LogPolicy
from lakehouse.local.runtime.logs import log_to, reason

if TYPE_CHECKING:
    from pathlib import Path


def test_the_reason_of_a_failure_names_no_customer() -> None:
    """Our own errors are written for people to read; of any other only where it came from is logged."""
    assert reason(Transient("try again")) == "try again"
    try:
        int("ann@example.com")
    except ValueError as error:
        why = reason(error)
    assert "ann" not in why
    assert "test_logs.py" in why


def test_logs_go_to_the_file_until_undone(tmp_path: Path) -> None:
    """Ours, and warnings of libraries; metrics are dropped, and afterwards all is as it was."""
    path = tmp_path / "functions.log"
    provider = telemetry.metrics.provider
    undo = log_to(path)
    try:
        telemetry.info("ticked", count=1)
        logging.getLogger("a.library").warning("a library's warning")
        logging.getLogger("a.library").info("a library's chatter")
        telemetry.count("Files")
        telemetry.metrics.flush_metrics()
    finally:
        undo()
    assert telemetry.metrics.provider is provider
    text = path.read_text("utf-8")
    assert "ticked" in text
    assert "a library's warning" in text
    assert "chatter" not in text


def test_a_large_log_is_set_aside_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One earlier file is kept."""
    monkeypatch.setattr(LogPolicy, "rotate_bytes", 5)
    path = tmp_path / "functions.log"
    path.write_text("before")
    log_to(path)()
    assert path.read_text() == ""
    assert (tmp_path / "functions.1.log").read_text() == "before"
