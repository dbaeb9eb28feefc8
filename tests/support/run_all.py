"""Runs every test this machine can run, and lists what was skipped and why.

With `--coverage` it counts the lines that were run, too, which takes half as long again: not at each landing.
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from tempfile import TemporaryDirectory

# Three workers on two cores, since many tests wait for servers; those of one module stay together and share a stack.
# xdist would begin with the modules that have most tests, and end with the longest: tests/conftest.py orders them.
PYTEST = (
    "-m", "pytest", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--durations=15", "-p", "no:randomly"
)  # fmt: skip
COVERAGE = ("--cov", "--cov-report=")


def main(arguments: list[str]) -> int:
    """Return pytest's exit code; 1 with --all when anything was skipped, with --coverage when it is below its floor."""
    everything = "--all" in arguments
    measured = COVERAGE if "--coverage" in arguments else ()
    rest = [argument for argument in arguments if argument not in ("--all", "--coverage")]
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        tested = subprocess.run(
            [sys.executable, *PYTEST, *measured, f"--junitxml={report}", *rest], check=False
        ).returncode
        skipped = _skipped(report)
    if skipped:
        sys.stdout.write(
            f"\nskipped ({len(skipped)}):" + "".join(f"\n  {name}: {why}" for name, why in skipped) + "\n"
        )
    covered = 0
    if measured:
        covered = subprocess.run(
            [sys.executable, "-m", "coverage", "report", "--skip-covered"], check=False
        ).returncode
    return tested or covered or int(everything and bool(skipped))


def _skipped(report: Path) -> list[tuple[str, str]]:
    if not report.exists():
        return []
    cases = ET.parse(report).getroot().iter("testcase")
    return [
        (f"{case.get('classname')}::{case.get('name')}", skip.get("message", ""))
        for case in cases
        if (skip := case.find("skipped")) is not None
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
