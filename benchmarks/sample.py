"""The sample company: how long a million customers take, and how much memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time

from benchmarks.report import Result

_CUSTOMERS = 1_000_000
_CODE = (
    "import runpy, sys\n"
    "try:\n    runpy.run_module('lakehouse.local.sample.company', run_name='__main__')\nfinally:\n"
    "    sys.stderr.write([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])\n"
)


def sample(*, quick: bool) -> list[Result]:
    """Return the seconds for a company of a million customers, scaled where it is smaller, and the peak memory."""
    customers = _CUSTOMERS // 10 if quick else _CUSTOMERS
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        told = subprocess.run(
            [sys.executable, "-c", _CODE, folder, "--customers", str(customers), "--workers", "1", "--json"],
            check=True,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - began
    rows = sum(json.loads(told.stdout)["rows"].values())
    what = f"sample company of {customers:,} customers"
    return [
        Result(
            what,
            seconds * _CUSTOMERS / customers,
            "s for a million",
            600,
            at_least=False,
            note=f"{rows:,} rows",
        ),
        Result(f"{what}, peak memory", int(told.stderr.split()[-1]) / 1024, "MiB", 2048, at_least=False),
    ]
