"""Where functions log on a laptop, and what a failure's log entry may say."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lakehouse import telemetry
from lakehouse.errors import Transient
from lakehouse.local.policy import LogPolicy
from lakehouse.local.runtime.logs import log_to, reason

if TYPE_CHECKING:
    from pathlib import Path


def test_the_reason_of_a_failure_names_no_customer() -> None:
    """Our own errors are written for people to read; of any other only where it came from is logged."""
    assert reason(Transient("try again")) == "try again"
    try:
        int("ann@example.com")
    except ValueError as error:
        why = reason(error)
    assert "ann" not in why
    assert "test_logs.py" in why


def test_logs_go_to_the_file_until_undone(tmp_path: Path) -> None:
    """Ours, and warnings of libraries; metrics are dropped, and afterwards all is as it was."""
    path = tmp_path / "functions.log"
    provider = telemetry.metrics.provider
    undo = log_to(path)
    try:
        telemetry.info("ticked", count=1)
        logging.getLogger("a.library").warning("a library's warning")
        logging.getLogger("a.library").info("a library's chatter")
        telemetry.count("Files")
        telemetry.metrics.flush_metrics()
    finally:
        undo()
    assert telemetry.metrics.provider is provider
    text = path.read_text("utf-8")
    assert "ticked" in text
    assert "a library's warning" in text
    assert "chatter" not in text


def test_every_line_is_json_whoever_wrote_it(tmp_path: Path) -> None:
    """Libraries' warnings of several lines, errors with tracebacks, those that end a thread or are ignored."""
    path = tmp_path / "functions.log"
    hooks = threading.excepthook, sys.unraisablehook, warnings.showwarning
    undo = log_to(path)
    try:
        logging.getLogger("a.library").warning("two\nlines")
        try:
            int("ann@example.com")
        except ValueError:
            logging.getLogger("a.library").exception("it broke")
        with warnings.catch_warnings():  # pytest makes errors of them, and hears of them itself
            warnings.simplefilter("always")
            logging.captureWarnings(False)
            logging.captureWarnings(True)
            warnings.warn("deprecated\nsoon", DeprecationWarning, stacklevel=1)
        thread = threading.Thread(target=lambda: int("ann@example.com"), name="poll-ingest")
        thread.start()
        thread.join()
        sys.unraisablehook(SimpleNamespace(exc_value=ValueError("ann@example.com"), object=None))  # type: ignore[arg-type]
    finally:
        undo()
    assert (threading.excepthook, sys.unraisablehook, warnings.showwarning) == hooks
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    messages = [entry["message"] for entry in entries]
    assert messages[:2] == ["two\nlines", "it broke"]
    assert "deprecated\nsoon" in messages[2]
    assert messages[3:] == ["thread poll-ingest was ended by an error", "an error was ignored"]
    assert "test_logs.py" in entries[1]["reason"]
    assert {entry["error"] for entry in (entries[1], *entries[3:])} == {"ValueError"}
    assert "ann" not in path.read_text("utf-8")


_FULL = """
import resource, signal, sys
from pathlib import Path
from lakehouse import telemetry
from lakehouse.local.runtime.logs import log_to
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (700, before[1]))
log_to(Path(sys.argv[1]))
for number in range(20):
    telemetry.info("ticked", count=number)
resource.setrlimit(resource.RLIMIT_FSIZE, before)
telemetry.info("ticked", count=20)
"""


def test_a_line_that_a_full_disk_cuts_off_is_taken_back(tmp_path: Path) -> None:
    """What fits is there, what does not is lost, and nobody who logs is stopped; once there is room it goes on."""
    path = tmp_path / "functions.log"
    # what it imports under the limit must not be kept: Python 3.11 would keep a compiled file that was cut off
    done = subprocess.run(
        [sys.executable, "-B", "-c", _FULL, str(path)],
        env={
            **os.environ,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        },  # a benchmark that was imported before logs nothing
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        0,
        f"{path} cannot be written, and lacks lines: File too large\n",
    )
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [entry["count"] for entry in entries][-1] == 20
    assert 1 < len(entries) < 20


def test_a_large_log_is_set_aside_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One earlier file is kept."""
    monkeypatch.setattr(LogPolicy, "rotate_bytes", 5)
    path = tmp_path / "functions.log"
    path.write_text("before")
    log_to(path)()
    assert path.read_text() == ""
    assert (tmp_path / "functions.1.log").read_text() == "before"
