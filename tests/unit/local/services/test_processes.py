"""Free ports, waiting, and which processes count as a stack's own."""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from lakehouse.errors import Transient
from lakehouse.local.policy import LogPolicy
from lakehouse.local.services.processes import (
    Child,
    EndedWhileStarting,
    end_orphans,
    ending,
    free_ports,
    holds_within,
    is_running,
    record_children,
    wait_until,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_free_ports_differ_and_are_not_ephemeral() -> None:
    """An outgoing connection cannot take one before the child binds it."""
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert max(ports) < 32_768


def test_a_process_is_known_by_pid_and_creation_time() -> None:
    """Pids are used again."""
    created = psutil.Process().create_time()
    assert is_running(os.getpid(), created)
    assert not is_running(os.getpid(), created - 100)


def test_a_condition_is_asked_until_it_holds_or_time_is_up() -> None:
    """At least once, also without time."""
    asked = itertools.count()
    assert holds_within(lambda: next(asked) == 3, 5)
    assert holds_within(lambda: True, 0)
    assert not holds_within(lambda: False, 0)


def _child(*, alive: bool) -> Any:
    return SimpleNamespace(
        name="store", log="store.log", alive=lambda: alive, log_tail=lambda: "the last line",
        how_it_ended=lambda: ending(-9),
    )  # fmt: skip


def test_waiting_ends_when_a_child_is_ready_has_ended_or_takes_too_long() -> None:
    """Errors name the log and show its end; one that has ended may be started again."""
    wait_until(lambda: True, _child(alive=False), 0)
    with pytest.raises(
        EndedWhileStarting, match=r"store ended while starting, killed by signal 9 \(SIGKILL\).*\n.*the last"
    ):
        wait_until(lambda: False, _child(alive=False), 5)
    with pytest.raises(Transient, match=r"store was not ready after 0 s; its log store.log ends:\nthe last"):
        wait_until(lambda: False, _child(alive=True), 0)


def test_children_are_recorded_by_pid_and_creation_time(tmp_path: Path) -> None:
    """For their owner alone; one whose process is gone is forgotten."""
    path = tmp_path / "children.json"
    log = tmp_path / "store.log"
    gone: Any = SimpleNamespace(name="store", pid=os.getpid(), create_time=1.0, log=log)
    record_children(path, [gone])
    recorded = {"name": "store", "pid": os.getpid(), "create_time": 1.0, "log": str(log)}
    assert json.loads(path.read_text()) == [recorded]
    assert path.stat().st_mode & 0o777 == 0o600
    assert end_orphans(path) == []
    assert not path.exists()


def test_a_child_is_known_by_its_log_whatever_the_clock_did(tmp_path: Path) -> None:
    """Its creation time moves when the clock is set; nobody else has its log open."""
    script = "import sys, time; print('up', file=sys.stderr, flush=True); time.sleep(600)"
    log = tmp_path / "store.log"
    child = Child.start("store", [sys.executable, "-c", script], dict(os.environ), tmp_path, log)
    try:
        assert holds_within(lambda: "up" in child.log_tail(), 20)
        path = tmp_path / "children.json"
        child.create_time -= 3_600
        record_children(path, [child])
        assert end_orphans(path) == ["store"]
        assert holds_within(lambda: not child.alive(), 5)
        assert child.how_it_ended().startswith("killed by signal 9 (SIGKILL): somebody ended it, or")
    finally:
        child.stop(0)


def test_a_log_is_kept_over_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Error messages show what this child said; a large log is set aside."""
    log = tmp_path / "store.log"
    log.write_text("what the one before said\n")
    argv = [sys.executable, "-c", "print('mine'); raise SystemExit(3)"]
    child = Child.start("store", argv, dict(os.environ), tmp_path, log)
    assert holds_within(lambda: not child.alive(), 20)
    child.stop(0)
    assert child.how_it_ended() == "with exit code 3"
    assert child.log_tail() == "mine"
    assert log.read_text() == "what the one before said\nmine\n"
    monkeypatch.setattr(LogPolicy, "rotate_bytes", 5)
    Child.start("store", argv, dict(os.environ), tmp_path, log).stop(0)
    assert (tmp_path / "store.1.log").read_text() == "what the one before said\nmine\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "with exit code 0"),
        (-9, "SIGKILL.*want of memory"),
        (-11, "SIGSEGV.*crashed"),
        (-2, r"killed by signal 2 \(SIGINT\)$"),
        (-99, "signal 99"),
    ],
)
def test_a_signal_is_named_with_what_it_means(code: int, words: str) -> None:
    """A negative exit code is the signal that ended a process."""
    assert re.search(words, ending(code))


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"name": "x"}]', "null"])
def test_a_damaged_record_stops_nothing(tmp_path: Path, text: str) -> None:
    """A full disk may have cut it off."""
    (tmp_path / "children.json").write_text(text)
    assert end_orphans(tmp_path / "children.json") == []
