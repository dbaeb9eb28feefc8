"""How long a module takes to import in a fresh process, and what comes with it."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ("pyarrow", "duckdb", "pyiceberg", "numpy", "pandas", "scipy")
_PROBE = """
import json, sys, time
start = time.perf_counter(); import boto3; boto = time.perf_counter() - start
import {module}
print(json.dumps([boto, time.perf_counter() - start, sorted(sys.modules)]))
"""


def cold_import(module: str, seconds: float = 0.8, times_boto3: float = 3.6) -> None:
    """Import `module` in fresh processes, best of three; fail when it is slow or brings a heavy library.

    `times_boto3` is the same ceiling as `seconds`, told as a ratio, for machines slower than the reference
    (boto3 takes 0.22 s there).
    """
    best = (0.0, float("inf"))
    for _ in range(3):
        run = subprocess.run(
            [sys.executable, "-c", _PROBE.format(module=module)], check=True, capture_output=True, timeout=60
        )
        boto3, whole, modules = json.loads(run.stdout)
        assert not {name.partition(".")[0] for name in modules}.intersection(HEAVY)
        best = min(best, (boto3, whole), key=lambda each: each[1])
    boto3, whole = best
    assert whole <= max(seconds, times_boto3 * boto3), f"{module} takes {whole:.2f} s, boto3 {boto3:.2f} s"
