"""`lakehouse.connect()` reads the tables of a stack that is down, and leaves nothing running."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time

import pytest

import lakehouse
from lakehouse import settings
from lakehouse.errors import Terminal, Transient
from lakehouse.local.attachment import attach
from lakehouse.local.folder_lock import FolderLock
from lakehouse.local.stack import Stack

PROGRAM = """
import sys, lakehouse
con = lakehouse.connect(sys.argv[1])
print(con.sql("select count(*) from marts.rfm").fetchall(), flush=True)
if len(sys.argv) > 2:
    sys.stdin.read()
"""


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder whose stack has run and is down."""
    for name in [name for name in os.environ if name.startswith(("LAKEHOUSE_", "AWS_"))]:
        monkeypatch.delenv(name)
    settings.current.cache_clear()
    with Stack(tmp_path) as stack:
        stack.start("store")
    yield tmp_path
    settings.current.cache_clear()


def ended(data) -> bool:
    """Wait until no stack runs on the folder."""
    deadline = time.monotonic() + 20
    while attach(data) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_connections_share_a_store_that_ends_with_the_last(data) -> None:
    """And the program's own environment stays as it was."""
    before = dict(os.environ)
    first, second = lakehouse.connect(data), lakehouse.connect(str(data))
    assert first.sql("select count(*) from marts.rfm").fetchall() == [(0,)]
    assert dict(os.environ) == before
    del first
    gc.collect()
    assert second.sql("select count(*) from raw.events").fetchall() == [(0,)]
    assert attach(data) is not None
    del second
    gc.collect()
    assert ended(data)


def test_the_store_ends_with_the_program_however_that_ends(data) -> None:
    """A notebook's kernel is often killed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(data)], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "[(0,)]\n"
    assert ended(data)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(data), "wait"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "[(0,)]\n"
        killed.kill()
    assert ended(data)


def test_a_stack_that_was_killed_is_no_obstacle(data) -> None:
    """It left word of where it was, and nobody answers there."""
    with Stack(data) as stack:
        stack.start("store")
        left_behind = (data / "stack.json").read_text("utf-8")
    (data / "stack.json").write_text(left_behind, "utf-8")
    con = lakehouse.connect(data)
    assert con.sql("select count(*) from core.customers").fetchall() == [(0,)]


def test_a_folder_without_data_is_told(data, tmp_path) -> None:
    """With the two ways to get some."""
    with pytest.raises(
        Terminal, match=r"holds no data to read.*`lakehouse demo --data \S+`.*`lakehouse up --data \S+`"
    ):
        lakehouse.connect(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_what_the_store_says_is_told(data) -> None:
    """A folder that another stack uses, for one; its own word says what to do."""
    lock = FolderLock(data)
    lock.acquire()
    try:
        with pytest.raises(Transient, match=r"did not start: .*another"):
            lakehouse.connect(data)
    finally:
        lock.release()
