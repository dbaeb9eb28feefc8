"""`python -m lakehouse.sample.company OUT --customers 1000`: write a generated company into a folder."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import sys
import time
from pathlib import Path

from lakehouse.errors import Terminal
from lakehouse.sample.company.world.scenario import CRMS, SHOPS
from lakehouse.sample.company.write import UNTIL, write


def main(arguments: list[str] | None = None) -> int:
    """Write a company, say what was written, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lakehouse.sample.company", description=__doc__)
    parser.add_argument("out", type=Path, help="a folder that is empty or not there yet")
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=dt.date.fromisoformat, default=UNTIL, help="the last day, 2026-06-30")
    parser.add_argument(
        "--crm", action="append", choices=CRMS, help="a CRM that offices work with; repeatable (all)"
    )
    parser.add_argument(
        "--shop", action="append", choices=SHOPS, help="a system that sells; repeatable (all)"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes; the bytes stay the same")
    parser.add_argument("--json", action="store_true", help="print truth.json instead of a summary")
    parser.add_argument("--progress", action="store_true", help="tell on stderr how far it is")
    told = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        truth = write(
            told.out,
            customers=told.customers,
            seed=told.seed,
            until=told.until,
            crms=tuple(told.crm or CRMS),
            shops=tuple(told.shop or SHOPS),
            workers=told.workers,
            progress=_progress if told.progress else None,
        )
    except Terminal as error:
        sys.stderr.write(f"{error}\n")
        return 1
    took, rows = time.monotonic() - began, sum(truth.rows.values())
    if told.json:
        sys.stdout.write(json.dumps(truth.as_json(), ensure_ascii=False) + "\n")
    else:
        lines = [f"{place:<30} {count:>12,}" for place, count in truth.rows.items()]
        peak = max(
            resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        lines.append(f"{rows:,} rows in {took:.1f} s, largest process {peak / 1024:.0f} MiB")
        sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _progress(done: int, customers: int) -> None:
    sys.stderr.write(f"\r{done:,} of {customers:,} customers")
    if done == customers:
        sys.stderr.write("\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
