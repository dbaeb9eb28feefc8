"""What a stack refuses before it starts anything, and how it is watched."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.errors import Terminal, Transient
from lakehouse.local.policy import StackPolicy
from lakehouse.local.stack import PARAMETERS, Stack, load_wiring
from tests.support.small_stack import a_wiring

if TYPE_CHECKING:
    from pathlib import Path


def test_functions_need_a_started_stack(tmp_path: Path) -> None:
    """Each refusal says what to do first; stopping what was not started is fine."""
    stack = Stack(tmp_path, wiring=a_wiring())
    with pytest.raises(Terminal, match="started with all its services"):
        stack.run()
    with pytest.raises(Terminal, match="call run"):
        stack.invoke("f", {})
    stack.stop()
    stack.stop()


def test_a_wrong_day_starts_nothing(tmp_path: Path) -> None:
    """And the folder is free for the next one."""
    for _ in range(2):
        with pytest.raises(Terminal, match="neither a day"):
            Stack(tmp_path, wiring=a_wiring(), as_of="yesterday").start()
    assert not (tmp_path / "children.json").exists()


def test_a_service_that_ends_by_itself_is_an_error_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then, or until it is to stop, nothing happens."""
    monkeypatch.setattr(StackPolicy, "watch_seconds", 0.0)
    stack = Stack(tmp_path, wiring=a_wiring())
    child = SimpleNamespace(
        name="store",
        log="store.log",
        log_tail=lambda: "out of memory",
        how_it_ended=lambda: "killed by signal 9",
    )
    looks = iter([None, None, child])
    services: Any = SimpleNamespace(ended=lambda: next(looks), stop=lambda **_: None)
    stack._services = services
    with pytest.raises(
        Transient, match=r"store ended, killed by signal 9; its log store\.log ends:\nout of memory"
    ):
        stack.wait(threading.Event())
    stopping = threading.Event()
    stopping.set()
    stack.wait(stopping)


def test_a_laptop_has_its_own_parameters_and_takes_others(tmp_path: Path) -> None:
    """The template's translation is kept in the data folder."""
    wiring = load_wiring(tmp_path, {"StageWindow": "7"})
    prefix = PARAMETERS["BucketPrefix"]
    assert {bucket.name for bucket in wiring.buckets} == {
        f"{prefix}-{name}" for name in ("landing", "lake", "ops")
    }
    assert {mapping.window_s for mapping in wiring.mappings if mapping.function == "resolve"} == {7}
    assert list((tmp_path / "run").glob("template-*.json"))
