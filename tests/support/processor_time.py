"""Says which test modules take how much processor time, their servers included.

`python -m pytest -p tests.support.processor_time …`; with several workers, too. Where others use the machine, what the
clock says of a test means little.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.terminal import TerminalReporter

_BEGUN = pytest.StashKey[float]()
_PROPERTY = "processor_seconds"
_TESTS_SHOWN = 20


def spent() -> float:
    """Return the seconds of processor time of this process and of all that it has started."""
    own = psutil.Process()
    seconds = sum(own.cpu_times()[:4])  # the last two are those of children that have ended
    for child in own.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(child.cpu_times()[:4])
    return seconds


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Begin to count before a test's fixtures are made."""
    item.stash[_BEGUN] = spent()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Note what a test took, once its fixtures are gone."""
    try:
        return (yield)
    finally:
        item.user_properties.append((_PROPERTY, spent() - item.stash[_BEGUN]))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Write the sum of each module, and the tests that take most: a module's first pays for what it shares."""
    tests: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                seconds = dict(report.user_properties).get(_PROPERTY, 0.0)
                tests[report.nodeid] += seconds
                modules[report.nodeid.split("::")[0]] += seconds
    for title, counted, most in (("tests", tests, _TESTS_SHOWN), ("modules", modules, None)):
        terminalreporter.section(f"processor time of {title}, seconds")
        for name, seconds in counted.most_common(most):
            terminalreporter.write_line(f"{seconds:8.1f}  {name}")
    terminalreporter.write_line(f"{modules.total():8.1f}  all")
