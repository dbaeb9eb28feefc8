"""Runs every test this machine can run, with the coverage floor, and lists what was skipped and why."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from tempfile import TemporaryDirectory

# Three workers on two cores, since many tests wait for servers; those of one module stay together and share a stack.
PYTEST = (
    "-m", "pytest", "-n", "3", "--dist", "loadfile", "--cov", "--cov-report=", "--durations=15", "-p", "no:randomly",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Return pytest's exit code; with --all, 1 when anything was skipped or coverage fell below its floor."""
    everything = "--all" in arguments
    rest = [argument for argument in arguments if argument != "--all"]
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        tested = subprocess.run(
            [sys.executable, *PYTEST, f"--junitxml={report}", *rest], check=False
        ).returncode
        skipped = _skipped(report)
    if skipped:
        sys.stdout.write(
            f"\nskipped ({len(skipped)}):" + "".join(f"\n  {name}: {why}" for name, why in skipped) + "\n"
        )
    covered = 0
    if not rest:
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
