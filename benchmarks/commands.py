"""What a person waits for: the demo, and `lakehouse status` with and without a running stack."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks.report import Result
from lakehouse.local.attachment import attach

_COMMAND = [sys.executable, "-c", "from lakehouse.cli import main; main()"]


def commands(*, quick: bool) -> list[Result]:  # noqa: ARG001 - these are quick
    """Return the demo's seconds and peak memory (all processes), and the seconds of `status`."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "lake"
        seconds, peak = _watched("demo", data)
        again, _ = _watched("demo", data)
        cold = min(_watched("status", data)[0] for _ in range(3))
        up = subprocess.Popen([*_COMMAND, "up", "--data", str(data)], stdout=subprocess.DEVNULL)
        try:
            while not ((info := attach(data)) and "http" in info.endpoints):
                time.sleep(0.05)
            warm = min(_watched("status", data)[0] for _ in range(3))
        finally:
            up.send_signal(signal.SIGINT)
            up.wait()
    return [
        Result("demo, dependencies installed", seconds, "s", 90, at_least=False),
        Result("demo, memory of all processes at its peak", peak, "MiB", 2048, at_least=False),
        Result("demo, once more", again, "s"),
        Result("lakehouse status, stack must start", cold, "s", 5, at_least=False),
        Result("lakehouse status, stack up", warm, "s", 2, at_least=False),
    ]


def _watched(command: str, data: Path) -> tuple[float, float]:
    """Run a command; return its seconds and the peak of the proportional memory of its whole process tree."""
    began = time.perf_counter()
    process = subprocess.Popen([*_COMMAND, command, "--data", str(data)], stdout=subprocess.DEVNULL)
    peak = [0.0]
    done = threading.Event()

    def watch() -> None:
        root = psutil.Process(process.pid)
        while not done.wait(0.25):
            peak[0] = max(peak[0], sum(_memory(p) for p in [root, *_children(root)]) / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    if process.returncode:
        raise AssertionError(f"lakehouse {command} ended with {process.returncode}")
    return seconds, peak[0]


def _children(root: psutil.Process) -> list[psutil.Process]:
    try:
        return root.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _memory(process: psutil.Process) -> float:
    try:
        return float(
            process.memory_full_info().pss
            if os.name == "posix" and sys.platform == "linux"
            else process.memory_info().rss
        )
    except psutil.Error:
        return 0.0
