"""Which stack counts as running, and how a command is interrupted."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from lakehouse.local import attachment
from lakehouse.local.attachment import (
    StackInfo,
    announce,
    attach,
    attach_when_ready,
    interruptible,
    shut_down,
    withdraw,
)
from lakehouse.local.folder_lock import FolderLock
from lakehouse.local.policy import StackPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def stack_info(services: str = "all") -> StackInfo:
    """Return a stack in this process, whose object store does not answer."""
    return StackInfo(os.getpid(), "", services, {}, {"s3": "http://127.0.0.1:1"}, {})


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[FolderLock]:
    """The folder's lock, taken by this process."""
    lock = FolderLock(tmp_path)
    lock.acquire()
    yield lock
    lock.release()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the object store answer."""
    monkeypatch.setattr(attachment, "accepts_connections", lambda port: port == 1)


@pytest.mark.usefixtures("answers")
def test_a_stack_that_is_no_more_is_not_attached_to(tmp_path: Path) -> None:
    """Whatever `stack.json` says: nobody has the folder's lock, though processes have its pid and its ports."""
    assert attach(tmp_path) is None
    announce(tmp_path, stack_info())
    assert attach(tmp_path) is None
    (tmp_path / "stack.json").write_text('{"pid": 1}')
    assert attach(tmp_path) is None


@pytest.mark.usefixtures("lock")
def test_a_stack_whose_process_runs_and_whose_store_answers_is_attached_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it withdraws, and whatever its process's creation time seems to be: it moves with the clock."""
    info = stack_info()
    announce(tmp_path, info)
    assert attach(tmp_path) is None
    monkeypatch.setattr(attachment, "accepts_connections", lambda port: port == 1)
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: 1.0)
    assert attach(tmp_path) == info
    withdraw(tmp_path)
    withdraw(tmp_path)
    assert attach(tmp_path) is None


def test_a_stack_that_does_not_end_by_itself_is_killed(
    tmp_path: Path, lock: FolderLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM first, SIGKILL when its time is up; then nothing says that it runs. One that starts is ended, too."""
    sent: list[int] = []

    def kill(pid: int, number: int) -> None:
        assert pid == os.getpid()
        sent.append(number)
        if number == signal.SIGKILL:
            lock.release()

    monkeypatch.setattr(os, "kill", kill)
    monkeypatch.setattr(StackPolicy, "shut_down_seconds", 0.0)
    announce(tmp_path, stack_info())
    assert shut_down(tmp_path)
    assert sent == [signal.SIGTERM, signal.SIGKILL]
    assert not (tmp_path / "stack.json").exists()
    assert not shut_down(tmp_path)
    lock.acquire()  # and has announced nothing yet
    assert shut_down(tmp_path)
    assert sent[2:] == [signal.SIGTERM, signal.SIGKILL]


def test_a_stack_that_will_not_die_keeps_its_file(
    tmp_path: Path, lock: FolderLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody could attach to it any more, and it would run on."""
    monkeypatch.setattr(os, "kill", lambda _pid, _number: None)
    monkeypatch.setattr(StackPolicy, "shut_down_seconds", 0.0)
    announce(tmp_path, stack_info())
    shut_down(tmp_path)
    assert (tmp_path / "stack.json").exists()
    lock.release()


@pytest.mark.usefixtures("answers")
def test_a_stack_that_starts_is_waited_for(tmp_path: Path, lock: FolderLock) -> None:
    """A reader beside it uses it as soon as it is there; where the folder becomes free, the reader has it."""
    threading.Timer(0.2, announce, (tmp_path, stack_info())).start()
    found = attach_when_ready(tmp_path, wanted=lambda info: info.services == "all")
    assert found == stack_info()
    withdraw(tmp_path)
    threading.Timer(0.2, lock.release).start()
    assert attach_when_ready(tmp_path, wanted=lambda _: True) is None


@pytest.mark.usefixtures("answers", "lock")
def test_who_waited_in_vain_gets_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store alone, where all services are wanted: the caller says what to do about it."""
    monkeypatch.setattr(StackPolicy, "lock_seconds", 0.1)
    assert attach_when_ready(tmp_path, wanted=lambda _: True) is None
    announce(tmp_path, stack_info("store"))
    assert attach_when_ready(tmp_path, wanted=lambda info: info.services == "all") == stack_info("store")


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
