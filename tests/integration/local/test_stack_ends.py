"""What becomes of a stack whose process ends, in every way that a process can."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from lakehouse import aws
from lakehouse.errors import Terminal, Transient
from lakehouse.local.attachment import attach, shut_down
from lakehouse.local.services.processes import is_running
from lakehouse.local.stack import Stack
from tests.support.small_stack import LAKE, LANDING, OPS, a_wiring, recorded, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.stack

_STACK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from lakehouse import aws
from lakehouse.local.attachment import interruptible
from lakehouse.local.stack import Stack
from lakehouse.scratch import scratch_folder
from tests.support.small_stack import LANDING, a_wiring
with interruptible() as stopping, Stack(Path(sys.argv[2]), wiring=a_wiring(), as_of="1998-06-30") as stack:
    stack.start()
    aws.s3().put_object(Bucket=LANDING, Key="kept", Body=b"kept")
    with scratch_folder(Path(sys.argv[2]) / "scratch", "ingest") as folder:
        (folder / "rows.csv").write_text("ann@example.com")
        print("up", flush=True)
        stack.wait(stopping)
"""


@contextmanager
def another_process(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a stack on `data` in a process of its own, with one object in it."""
    argv = [sys.executable, "-c", _STACK, str(Path(__file__).parents[3]), str(data)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


def test_a_stack_that_was_killed_does_not_stop_the_next_one(tmp_path: Path) -> None:
    """kill -9 of its process: children gone, the next start works, objects and settings are as they were."""
    with another_process(tmp_path) as process:
        children = recorded(tmp_path)
        assert len(children) == 2
        assert all(is_running(*child) for child in children)
        process.kill()
    assert attach(tmp_path) is None
    until(lambda: not any(is_running(*child) for child in children), seconds=5)
    with Stack(tmp_path, wiring=a_wiring()) as again:
        info = again.start("store")
        assert info.env["LAKEHOUSE_AS_OF"] == "1998-06-30"
        assert aws.s3().get_object(Bucket=LANDING, Key="kept")["Body"].read() == b"kept"
    assert attach(tmp_path) is None


def test_what_functions_wrote_on_scratch_goes_with_the_next_start(tmp_path: Path) -> None:
    """Raw rows of a killed stack, out of reach of `collect` and `raw_days`; what an older release left, too."""
    with another_process(tmp_path) as process:
        process.kill()
    (tmp_path / "scratch" / "ingest-abc").mkdir()
    (tmp_path / "scratch" / "ingest-abc" / "0.csv").write_text("ann@example.com")
    assert len(list((tmp_path / "scratch").rglob("*.csv"))) == 2
    with Stack(tmp_path, wiring=a_wiring()) as again:
        again.start("store")
        assert list((tmp_path / "scratch").rglob("*.csv")) == []


def test_children_that_lost_their_guards_too_are_ended_by_the_next_start(tmp_path: Path) -> None:
    """Where the guards were killed as well, `children.json` names what is left over."""
    with another_process(tmp_path) as process:
        children = recorded(tmp_path)
        for child in psutil.Process(process.pid).children():
            if child.pid not in {pid for pid, _ in children}:
                child.kill()
        process.kill()
    assert all(is_running(*child) for child in children)
    with Stack(tmp_path, wiring=a_wiring()) as again:
        again.start("store")
        assert not any(is_running(*child) for child in children)
        assert aws.s3().get_object(Bucket=LANDING, Key="kept")["Body"].read() == b"kept"


def test_down_ends_a_stack_and_its_children(tmp_path: Path) -> None:
    """SIGTERM is enough, nothing is left, and a second `down` finds nothing."""
    with another_process(tmp_path) as process:
        children = recorded(tmp_path)
        assert shut_down(tmp_path)
        assert process.wait(10) == 0
    assert not any(is_running(*child) for child in children)
    assert not (tmp_path / "stack.json").exists()
    assert not shut_down(tmp_path)


def test_the_store_alone_serves_objects_and_its_end_is_told(tmp_path: Path) -> None:
    """What `status` and `sql` start: a fresh folder has its buckets, but functions need the rest."""
    with Stack(tmp_path, wiring=a_wiring()) as stack:
        info = stack.start("store")
        assert info.services == "store"
        assert {b["Name"] for b in aws.s3().list_buckets()["Buckets"]} == {LANDING, LAKE, OPS}
        assert aws.s3().get_bucket_versioning(Bucket=LANDING)["Status"] == "Enabled"
        with pytest.raises(Terminal, match="all its services"):
            stack.run()
        os.kill(recorded(tmp_path)[0][0], signal.SIGKILL)
        with pytest.raises(
            Transient, match=r"store ended, killed by signal 9 \(SIGKILL\).* its log .*store\.log"
        ):
            stack.wait(threading.Event())
    assert not (tmp_path / "children.json").exists()
