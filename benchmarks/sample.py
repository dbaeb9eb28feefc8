"""The sample company: how long a million customers take, and how much memory."""

from __future__ import annotations

import json
import tempfile

from benchmarks.processes import measured
from benchmarks.report import Result

_CUSTOMERS = 1_000_000
_CALL = "runpy.run_module('lakehouse.sample.company', run_name='__main__')"


def sample(*, quick: bool) -> list[Result]:
    """Return the seconds for a company of a million customers, scaled where it is smaller, and the peak memory."""
    customers = _CUSTOMERS // 10 if quick else _CUSTOMERS
    with tempfile.TemporaryDirectory() as folder:
        told, seconds, peak = measured(_CALL, folder, "--customers", str(customers), "--workers=1", "--json")
    rows = sum(json.loads(told)["rows"].values())
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
        Result(f"{what}, peak memory", peak, "MiB", 2048, at_least=False),
    ]
