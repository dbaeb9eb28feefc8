"""Which stack counts as running, and how a command is interrupted."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from lakehouse.local import attachment
from lakehouse.local.attachment import StackInfo, announce, attach, interruptible, shut_down, withdraw
from lakehouse.local.policy import StackPolicy

if TYPE_CHECKING:
    from pathlib import Path


def stack_info(create_time: float) -> StackInfo:
    """Return a stack in this process, whose object store does not answer."""
    return StackInfo(os.getpid(), create_time, "", "all", {}, {"s3": "http://127.0.0.1:1"}, {})


def test_a_stack_that_is_no_more_is_not_attached_to(tmp_path: Path) -> None:
    """Whatever `stack.json` says: another process may have its pid, and its ports may be silent."""
    assert attach(tmp_path) is None
    announce(tmp_path, stack_info(create_time=1.0))
    assert attach(tmp_path) is None
    (tmp_path / "stack.json").write_text('{"pid": 1}')
    assert attach(tmp_path) is None


def test_a_stack_whose_process_runs_and_whose_store_answers_is_attached_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it withdraws."""
    info = stack_info(psutil.Process().create_time())
    announce(tmp_path, info)
    assert attach(tmp_path) is None
    monkeypatch.setattr(attachment, "accepts_connections", lambda port: port == 1)
    assert attach(tmp_path) == info
    withdraw(tmp_path)
    withdraw(tmp_path)
    assert attach(tmp_path) is None


def test_a_stack_that_does_not_end_by_itself_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM first, SIGKILL when its time is up; then nothing says that it runs."""
    sent: list[int] = []
    monkeypatch.setattr(attachment, "accepts_connections", lambda _port: True)
    monkeypatch.setattr(os, "kill", lambda _pid, number: sent.append(number))
    monkeypatch.setattr(StackPolicy, "shut_down_seconds", 0.0)
    announce(tmp_path, stack_info(psutil.Process().create_time()))
    assert shut_down(tmp_path)
    assert sent == [signal.SIGTERM, signal.SIGKILL]
    assert not (tmp_path / "stack.json").exists()
    assert not shut_down(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_ask_to_stop_and_a_second_ctrl_c_interrupts(number: signal.Signals) -> None:
    """Afterwards the signals do what they did before."""
    before = signal.getsignal(number)
    with interruptible() as stopping:
        assert not stopping.is_set()
        signal.raise_signal(number)
        assert stopping.is_set()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(number) is before
