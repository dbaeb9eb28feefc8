"""Commands that read one folder at the same time: none fails because another has it for a moment."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lakehouse import aws
from lakehouse.local.attachment import shut_down
from lakehouse.local.session import session
from lakehouse.local.stack import Stack
from tests.support.small_stack import OPS, a_wiring

pytestmark = pytest.mark.stack

_READER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from lakehouse import aws
from lakehouse.local import stack
from lakehouse.local.session import session
from tests.support.small_stack import OPS, a_wiring
stack.load_wiring = lambda *_: a_wiring()
with session(Path(sys.argv[2]), "store"):
    for _ in range(int(sys.argv[3])):
        aws.s3().get_object(Bucket=OPS, Key="kept")
        time.sleep(0.1)
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder whose stack has run and is down."""
    with Stack(tmp_path, wiring=a_wiring()) as stack:
        stack.start("store")
        aws.s3().put_object(Bucket=OPS, Key="kept", Body=b"kept")
    return tmp_path


def test_readers_beside_each_other_all_read(data: Path) -> None:
    """They begin at once; the one that owns the store ends first, and waits for those that use it."""
    argv = [sys.executable, "-c", _READER, str(Path(__file__).parents[3]), str(data)]
    readers = [
        subprocess.Popen([*argv, str(reads)], stderr=subprocess.PIPE, text=True) for reads in (5, 10, 20)
    ]
    said = [reader.communicate(timeout=120)[1] for reader in readers]
    assert [reader.returncode for reader in readers] == [0, 0, 0], said


def test_a_reader_beside_a_starting_stack_waits_for_it(data: Path) -> None:
    """The folder's lock is taken and nothing answers yet: the reader uses the stack as soon as it is there."""
    stack = Stack(data, wiring=a_wiring())
    starting = threading.Thread(target=stack.start, args=("store",))
    starting.start()
    try:
        deadline = time.monotonic() + 10
        while not stack._lock._file:
            assert time.monotonic() < deadline
        with session(data, "store"):
            assert aws.s3().get_object(Bucket=OPS, Key="kept")["Body"].read() == b"kept"
    finally:
        starting.join()
        stack.stop()


def test_down_ends_a_stack_that_is_starting(data: Path) -> None:
    """It has announced nothing yet: its process is known by the lock."""
    code = (
        "import sys, time; from pathlib import Path; from lakehouse.local.folder_lock import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); lock.acquire(); print('mine', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(data)], stdout=subprocess.PIPE) as starting:
        assert starting.stdout is not None
        starting.stdout.readline()
        assert shut_down(data)
        assert starting.wait(5) == -15
    assert not shut_down(data)
