"""Who owns a data folder: asked of its lock, not of times."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from lakehouse.errors import Terminal
from lakehouse.local import folder_lock
from lakehouse.local.folder_lock import FolderInUse, FolderLock, holder, reading, wait_for_readers
from lakehouse.local.policy import ProcessPolicy, StackPolicy

_OWNER = """
import sys, time
from pathlib import Path
from lakehouse.local.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1])); lock.acquire(); print("mine", flush=True); time.sleep(600)
"""


def test_the_owner_is_known_for_as_long_as_it_lives(tmp_path):
    """By its pid, which the file says; killed, it owns nothing, whatever the file says."""
    assert holder(tmp_path) is None
    with subprocess.Popen([sys.executable, "-c", _OWNER, str(tmp_path)], stdout=subprocess.PIPE) as owner:
        try:
            owner.stdout.readline()
            assert holder(tmp_path) == owner.pid
            with pytest.raises(FolderInUse, match=rf"process {owner.pid}\) uses"):
                FolderLock(tmp_path).acquire()
        finally:
            owner.kill()
    assert holder(tmp_path) is None
    lock = FolderLock(tmp_path)
    lock.acquire()
    assert holder(tmp_path) == os.getpid()
    lock.release()
    lock.release()
    assert holder(tmp_path) is None


def test_a_folder_that_is_free_soon_is_waited_for(tmp_path):
    """A command that reads beside another does not fail, it begins a moment later."""
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.acquire()
    threading.Timer(0.2, first.release).start()
    second.acquire(wait_seconds=5)
    with pytest.raises(FolderInUse):
        FolderLock(tmp_path).acquire()
    second.release()
    assert holder(tmp_path) is None


def test_a_lock_that_names_another_process_is_believed_by_nobody(tmp_path, monkeypatch):
    """A full disk may keep a pid from being written: no other process is ended for it."""
    monkeypatch.setattr(ProcessPolicy, "connect_seconds", 0.1)
    lock = FolderLock(tmp_path)
    lock.acquire()
    for text in ("1", ""):
        (tmp_path / "lock").write_text(text)
        with pytest.raises(Terminal, match="does not say by which process"):
            holder(tmp_path)
    lock.release()


def test_an_owner_waits_for_readers_a_few_seconds(tmp_path, monkeypatch):
    """Until they have ended, or until time is up."""
    monkeypatch.setattr(StackPolicy, "readers_seconds", 0.3)
    wait_for_readers(tmp_path)
    began = time.monotonic()
    with reading(tmp_path), reading(tmp_path):
        wait_for_readers(tmp_path)
    assert time.monotonic() - began >= 0.3
    monkeypatch.setattr(StackPolicy, "readers_seconds", 30.0)
    with reading(tmp_path):
        thread = threading.Thread(target=wait_for_readers, args=(tmp_path,))
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
    thread.join(5)
    assert not thread.is_alive()


def test_a_full_disk_keeps_nobody_from_reading(tmp_path, monkeypatch):
    """The file of readers cannot be made: the command reads all the same."""

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_lock, "open_for_lock", full)
    with reading(tmp_path):
        wait_for_readers(tmp_path)
    assert list(tmp_path.iterdir()) == []
