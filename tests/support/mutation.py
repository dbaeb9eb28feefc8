"""Runs mutation testing on the modules that exactly-once rests on, and fails when tests notice too few mutants.

mutmut changes one expression at a time and runs the tests that reach it. Which modules and tests: `[tool.mutmut]` of
pyproject.toml. A mutant that ran out of time counts as not noticed: a busy machine is no test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from mutmut.stats import status_by_exit_code

FLOOR = 85  # percent of all mutants of all modules
FOLDER = Path("mutants")
_UNKNOWN = {"not checked", "check was interrupted by user"}


def main() -> int:
    """Return 0 when at least FLOOR percent were killed, and all of them were tried."""
    # What an earlier run found stands as long as the module stays as it is, though tests may have changed.
    shutil.rmtree(FOLDER, ignore_errors=True)
    mutmut = Path(sys.executable).with_name("mutmut")
    with TemporaryDirectory() as scratch:  # a worker leaves its folders behind
        env = os.environ | {"PYTEST_DEBUG_TEMPROOT": scratch}
        if subprocess.run([mutmut, "run", "--max-children", "2"], env=env, check=False).returncode:
            return 1
    modules = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]["only_mutate"]
    return _report({module: _results(module) for module in modules})


def _results(module: str) -> dict[str, str]:
    """Return what became of each mutant of a module."""
    codes = json.loads((FOLDER / f"{module}.meta").read_text("utf-8"))["exit_code_by_key"]
    return {name: status_by_exit_code[code] for name, code in codes.items()}


def _report(results: dict[str, dict[str, str]]) -> int:
    lines, sums = [], Counter[str]()
    for module, found in results.items():
        killed = sum(status == "killed" for status in found.values())
        lines.append(_line(module, killed, len(found)))
        sums += Counter(killed=killed, total=len(found))
    lines.append(_line("all", sums["killed"], sums["total"]))
    rest = [(n, s) for found in results.values() for n, s in found.items() if s != "killed"]
    left = [f"  {name}: {status}" for name, status in rest]
    header = f"{'module':<32}{'killed':>8}{'survived':>10}{'total':>7}{'percent':>9}"
    named = ["", "`.venv/bin/mutmut show NAME` shows what was changed:", *left] if left else []
    sys.stdout.write("\n".join(["", header, *lines, *named, ""]))
    enough = sums["killed"] * 100 >= FLOOR * sums["total"] > 0
    return int(not enough or any(status in _UNKNOWN for _, status in rest))


def _line(name: str, killed: int, total: int) -> str:
    return f"{name:<32}{killed:>8}{total - killed:>10}{total:>7}{killed * 100 / max(total, 1):>9.1f}"


if __name__ == "__main__":
    sys.exit(main())
