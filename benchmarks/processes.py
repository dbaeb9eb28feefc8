"""Runs a command in a process of its own, and tells what it printed, how long it took and its peak memory."""

from __future__ import annotations

import subprocess
import sys
import time

_CODE = """
import runpy, sys
try:
    {call}
finally:
    peak = [line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0]
    print(peak, file=sys.stderr)
"""


def measured(call: str, *arguments: str) -> tuple[str, float, float]:
    """Return what a line of Python printed, given arguments; its seconds; the peak memory of its process in MiB."""
    began = time.perf_counter()
    command = [sys.executable, "-c", _CODE.format(call=call), *arguments]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    return told.stdout, time.perf_counter() - began, int(told.stderr.split()[-1]) / 1024
