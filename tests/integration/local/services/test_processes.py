"""Child processes with their guards, and orphans, as real processes."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from lakehouse.errors import Terminal, Transient
from lakehouse.local.services.processes import (
    Child,
    EndedWhileStarting,
    end_orphans,
    is_running,
    record_children,
    wait_until,
)

if TYPE_CHECKING:
    from pathlib import Path

_SLEEPER = [sys.executable, "-c", "import time; print('started', flush=True); time.sleep(600)"]


def a_child(folder: Path, argv: list[str] = _SLEEPER) -> Child:
    return Child.start("sleeper", argv, {}, folder, folder / "sleeper.log")


def test_a_child_ends_when_stopped_and_its_guard_with_it(tmp_path: Path) -> None:
    """Politely or at once, and again without harm."""
    for grace in (2.0, 0.0):
        before = set(psutil.Process().children())  # other tests' stacks among them
        child = a_child(tmp_path)
        wait_until(lambda c=child: "started" in c.log_tail(), child, 10)  # type: ignore[misc]
        guards = [p for p in set(psutil.Process().children()) - before if p.pid != child.pid]
        child.stop(grace)
        child.stop(grace)
        assert not child.alive()
        assert not any(is_running(g.pid, g.create_time()) for g in guards if g.is_running())


def test_a_child_that_ends_early_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    """The message says where to read on."""
    child = a_child(tmp_path, [sys.executable, "-c", "print('no such option')"])
    words = r"sleeper ended while starting, with exit code 0; its log .*sleeper.log ends:\nno such option"
    with pytest.raises(EndedWhileStarting, match=words):
        wait_until(lambda: False, child, 10)
    child.stop(0)


def test_a_child_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    """And its guard goes home."""
    with pytest.raises(Terminal, match=r"sleeper cannot be started: .*no/such/program"):
        a_child(tmp_path, ["/no/such/program"])


def test_a_child_that_is_never_ready_is_an_error_when_time_is_up(tmp_path: Path) -> None:
    """No wait is for ever."""
    child = a_child(tmp_path)
    with pytest.raises(Transient, match=r"was not ready after 0\.05 s"):
        wait_until(lambda: False, child, 0.05)
    child.stop(0)


def test_orphans_are_ended_by_pid_and_creation_time(tmp_path: Path) -> None:
    """A process that merely has a recorded pid is left alone."""
    child = a_child(tmp_path)
    record_children(tmp_path / "children.json", [child])
    written = json.loads((tmp_path / "children.json").read_text())
    stranger = {"name": "stranger", "pid": os.getpid(), "create_time": 1.0}
    (tmp_path / "children.json").write_text(json.dumps([*written, stranger]))
    assert end_orphans(tmp_path / "children.json") == ["sleeper"]
    assert not is_running(child.pid, child.create_time)
    assert not (tmp_path / "children.json").exists()
    assert end_orphans(tmp_path / "children.json") == []
    child.stop(0)
