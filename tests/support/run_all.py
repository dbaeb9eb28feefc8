"""Runs the tests this machine can run, and lists what was skipped and why: a module of which all was as one line.

With `--all` it runs the long modules, too (`ONLY_WITH_ALL` of tests/conftest.py). So does `--coverage`, which counts
the lines that were run and takes half as long again: not at each landing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

# Three workers on two cores, since many tests wait for servers; those of one module stay together and share a stack.
# xdist would begin with the modules that have most tests, and end with the longest: tests/conftest.py orders them.
PYTEST = (
    "-m", "pytest", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--durations=15", "-p", "no:randomly"
)  # fmt: skip
COVERAGE = ("--cov", "--cov-report=")
WITHOUT_LONG = "--without-long"  # of tests/conftest.py
# Catalogs in files wait for the disk at each commit. What tests write and then delete goes to memory where there is
# plenty: a folder that the system keeps there, and as much memory that nobody uses.
MEMORY = Path("/dev/shm")
_PLENTY = 8 << 30


def main(arguments: list[str]) -> int:
    """Return pytest's exit code; 1 with --all when anything was skipped, with --coverage when it is below its floor."""
    everything = "--all" in arguments
    measured = COVERAGE if "--coverage" in arguments else ()
    rest = [argument for argument in arguments if argument not in ("--all", "--coverage")]
    short = () if everything or measured or rest else (WITHOUT_LONG,)
    with TemporaryDirectory() as folder, TemporaryDirectory(dir=_fast_folder()) as fast:
        report = Path(folder) / "report.xml"
        kept = (f"--junitxml={report}", f"--basetemp={fast}/tests")
        tested = subprocess.run(
            [sys.executable, *PYTEST, *measured, *short, *kept, *rest], env=_environment(), check=False
        ).returncode
        skipped = _skipped(report)
    if skipped:
        sys.stdout.write("\n".join([f"\nskipped ({len(skipped)}):", *_by_module(skipped), ""]))
    covered = 0
    if measured:
        covered = subprocess.run(
            [sys.executable, "-m", "coverage", "report", "--skip-covered"], check=False
        ).returncode
    return tested or covered or int(everything and bool(skipped))


def _environment() -> dict[str, str]:
    """Return the environment, in which modules are compiled once: each command that a test runs would do so again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _fast_folder() -> Path | None:
    """Return a folder in memory; None where there is none, or too little memory for it."""
    if not MEMORY.is_dir():
        return None
    free = min(psutil.disk_usage(str(MEMORY)).free, psutil.virtual_memory().available - _PLENTY)
    return MEMORY if free >= _PLENTY else None


def _skipped(report: Path) -> list[tuple[str, str, str]]:
    """Return module, test and reason of each test that was skipped."""
    if not report.exists():
        return []
    cases = ET.parse(report).getroot().iter("testcase")
    return [
        (case.get("classname", ""), case.get("name", ""), skip.get("message", ""))
        for case in cases
        if (skip := case.find("skipped")) is not None
    ]


def _by_module(skipped: list[tuple[str, str, str]]) -> list[str]:
    """Return a line for each test, and one for all of a module that were skipped for one reason."""
    tests: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for module, test, reason in skipped:
        tests[module, reason].append(test)
    return [
        f"  {module}::{names[0]}: {reason}"
        if len(names) == 1
        else f"  {module}, {len(names)} tests: {reason}"
        for (module, reason), names in tests.items()
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
