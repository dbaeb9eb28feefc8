"""Free ports, waiting, and which processes count as a stack's own."""

from __future__ import annotations

import itertools
import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from lakehouse.errors import Transient
from lakehouse.local.services.processes import (
    EndedWhileStarting,
    end_orphans,
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
        name="store", log="store.log", alive=lambda: alive, log_tail=lambda: "the last line"
    )


def test_waiting_ends_when_a_child_is_ready_has_ended_or_takes_too_long() -> None:
    """Errors name the log and show its end; one that has ended may be started again."""
    wait_until(lambda: True, _child(alive=False), 0)
    with pytest.raises(
        EndedWhileStarting, match=r"store ended while starting; its log store.log ends:\nthe last"
    ):
        wait_until(lambda: False, _child(alive=False), 5)
    with pytest.raises(Transient, match=r"store was not ready after 0 s; its log store.log ends:\nthe last"):
        wait_until(lambda: False, _child(alive=True), 0)


def test_children_are_recorded_by_pid_and_creation_time(tmp_path: Path) -> None:
    """For their owner alone; one whose process is gone is forgotten."""
    path = tmp_path / "children.json"
    gone: Any = SimpleNamespace(name="store", pid=os.getpid(), create_time=1.0)
    record_children(path, [gone])
    assert json.loads(path.read_text()) == [{"name": "store", "pid": os.getpid(), "create_time": 1.0}]
    assert path.stat().st_mode & 0o777 == 0o600
    assert end_orphans(path) == []
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"name": "x"}]', "null"])
def test_a_damaged_record_stops_nothing(tmp_path: Path, text: str) -> None:
    """A full disk may have cut it off."""
    (tmp_path / "children.json").write_text(text)
    assert end_orphans(tmp_path / "children.json") == []
