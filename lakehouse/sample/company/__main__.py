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
from lakehouse.progress import no_progress
from lakehouse.sample.company.truth import Truth
from lakehouse.sample.company.world.scenario import CRMS, SHOPS
from lakehouse.sample.company.write import UNTIL, write


def main(arguments: list[str] | None = None) -> int:
    """Write a company, say what was written, and return the exit code."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    try:
        truth = write(
            options.out,
            customers=options.customers,
            seed=options.seed,
            until=options.until,
            crms=tuple(options.crm or CRMS),
            shops=tuple(options.shop or SHOPS),
            workers=options.workers,
            progress=_show_progress if options.progress else no_progress,
        )
    except Terminal as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.json:
        sys.stdout.write(json.dumps(truth.as_json(), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_summary(truth, time.monotonic() - started))
    return 0


def _parser() -> argparse.ArgumentParser:
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
    return parser


def _summary(truth: Truth, seconds: float) -> str:
    """Return the rows of each entity as a table, then their sum, the time it took and the memory of a process."""
    lines = [f"{entity:<30} {rows:>12,}" for entity, rows in truth.rows.items()]
    processes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak_kib = max(resource.getrusage(who).ru_maxrss for who in processes)
    total = sum(truth.rows.values())
    lines.append(f"{total:,} rows in {seconds:.1f} s, largest process {peak_kib / 1024:.0f} MiB")
    return "\n".join(lines) + "\n"


def _show_progress(step: str, done: int = 0, total: int = 0) -> None:
    sys.stderr.write(f"\r{done:,} of {total:,} {step}")
    if done == total:
        sys.stderr.write("\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
