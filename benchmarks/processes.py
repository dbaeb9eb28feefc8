"""Runs a command in a process of its own, and tells what it printed, how long it took and its peak memory.

The peak is Linux's `VmHWM`: what `getrusage` tells of a process begins with the size of the one that started it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

_CODE = """
import runpy, sys
from benchmarks.processes import peak_mib
try:
    {call}
finally:
    print(peak_mib(), file=sys.stderr)
"""


def measured(call: str, *arguments: str, **environment: str) -> tuple[str, float, float]:
    """Return what a line of Python printed, given arguments; its seconds; the peak memory of its process in MiB."""
    began = time.perf_counter()
    command = [sys.executable, "-c", _CODE.format(call=call), *arguments]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment)
    return told.stdout, time.perf_counter() - began, float(told.stderr.split()[-1])


def peak_mib() -> float:
    """Return the most memory this process ever held, in MiB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
