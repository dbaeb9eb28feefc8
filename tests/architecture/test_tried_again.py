"""Which failed tests `make test` runs again: few, and only those that wait for servers."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.run_all import WAITING, tried_again

if TYPE_CHECKING:
    from pathlib import Path

ROOM = "tests.integration.local.test_some"


def _report(folder: Path, *failed: tuple[str, str]) -> Path:
    cases = "".join(
        f'<testcase classname="{module}" name="{test}"><failure message="x"/></testcase>'
        for module, test in failed
    )
    path = folder / "report.xml"
    path.write_text(
        f'<testsuites><testsuite><testcase classname="{ROOM}" name="test_good"/>{cases}</testsuite></testsuites>'
    )
    return path


def test_one_that_waits_is_tried_again(tmp_path: Path) -> None:
    """By the id that pytest takes."""
    assert tried_again(_report(tmp_path, (ROOM, "test_a[1-b]"))) == [
        "tests/integration/local/test_some.py::test_a[1-b]"
    ]


@pytest.mark.parametrize(
    "failed",
    [
        [],
        [(ROOM, "test_a"), (ROOM, "test_b"), (ROOM, "test_c")],
        [(ROOM, "test_a"), ("tests.unit.test_ids", "test_b")],
        [("tests.e2e.test_laptop", "test_killed_in_the_middle_nothing_is_lost_or_doubled")],
        [("tests.simulation.test_seeds", "test_a")],
    ],
    ids=["none", "many", "beside one that computes", "a kill", "a simulation"],
)
def test_nothing_else_is(tmp_path: Path, failed: list[tuple[str, str]]) -> None:
    """Many failures are no accident, and what proves exactly-once has to pass each time."""
    assert tried_again(_report(tmp_path, *failed)) == []


def test_a_run_that_left_no_report_is_not(tmp_path: Path) -> None:
    """It ended before pytest could write one."""
    assert tried_again(tmp_path / "report.xml") == []


def test_the_id_is_one_that_pytest_finds() -> None:
    """The report's words become a path again."""
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", WAITING[-1]],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "tests/integration/local/test_full_disk.py::test_a_full_disk" in found.stdout
