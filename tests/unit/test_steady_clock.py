"""The steady clock: shared by the processes of one machine, and by nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse import steady_clock
from lakehouse.settings import Settings
from lakehouse.steady_clock import UNKNOWN, SteadyTime, read_steady
from tests.support.clocks import settable_clock

LAPTOP = Settings(catalog="sql", catalog_uri="sqlite://")
ANOTHER_PROCESS = (
    "from lakehouse.settings import Settings; from lakehouse.steady_clock import read_steady; "
    "one = read_steady(Settings(catalog='rest')); print(one.clock, one.seconds)"
)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not name their start")
def test_processes_of_one_machine_share_it():
    """The same name, and seconds that go on from one to the other, though the wall clock is set meanwhile."""
    before = read_steady(LAPTOP)
    with settable_clock() as clock:
        clock.step(-86_400)
        answer = subprocess.run(
            [sys.executable, "-c", ANOTHER_PROCESS], capture_output=True, text=True, check=True
        )
        name, seconds = answer.stdout.split()
        elapsed = SteadyTime(name, float(seconds)).seconds_since(before)
        assert elapsed is not None
        assert 0 < elapsed <= (read_steady(LAPTOP).seconds_since(before) or 0) < 600


def test_two_functions_on_aws_share_none():
    """Whatever their systems say: they may be copies of one snapshot."""
    assert read_steady(Settings(catalog="glue")) == UNKNOWN


def test_a_system_that_does_not_name_its_start_has_none(monkeypatch):
    """Then nothing is known of how long ago something was."""
    monkeypatch.setattr(steady_clock, "_BOOT_ID", Path("/nowhere"))
    steady_clock._boot_id.cache_clear()
    try:
        assert read_steady(LAPTOP) == UNKNOWN
    finally:
        steady_clock._boot_id.cache_clear()


@pytest.mark.parametrize(("clock", "seconds"), [("a", 5.0), ("b", None), ("", None)])
def test_moments_of_two_clocks_cannot_be_compared(clock, seconds):
    """Nor those of none."""
    assert SteadyTime(clock, 15.0).seconds_since(SteadyTime("a", 10.0)) == seconds
    assert UNKNOWN.seconds_since(UNKNOWN) is None
