"""The demo as a person sees it: how long it takes, a line a step while it runs, and the summary."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from lakehouse.command_line import command_line
from lakehouse.console import terminal
from lakehouse.local import demo
from lakehouse.local.attachment import interruptible
from lakehouse.local.policy import DemoPolicy
from lakehouse.progress import Progress, no_progress

EXPECTED_TIME = "This takes one to three minutes on two cores, the longer the busier they are."
_PURCHASES = "The 69,659 purchases of CDNOW's 23,570 customers are real."
_QUERIES = (
    "select rfm, count(*) from marts.rfm group by 1 order by 2 desc limit 5",
    "select code, reason, count(*) from ops.quarantine group by all",
)


class LiveSteps:
    """A line a step that is redrawn as it goes; a step is done when a later one has something to do."""

    def __init__(self, bar: ProgressBar) -> None:
        self._bar = bar
        self._tasks = {
            step: bar.add_task(description, total=None, start=False)
            for step, description in demo.STEPS.items()
        }

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """Show the progress of a step; without a count it is merely under way."""
        task = self._tasks[step]
        self._bar.start_task(task)
        if total:
            self._bar.update(task, total=total, completed=done)

    def finish(self) -> None:
        """Show every step as done."""
        for task in self._tasks.values():
            self._bar.start_task(task)
            self._bar.update(task, total=1, completed=1)


class PlainSteps:
    """One line a step, printed when it begins: for a file or pipe, where nothing can be redrawn."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._began = time.monotonic()
        self._printed: set[str] = set()
        self._lock = Lock()

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG002 - as `Progress` has it
        """Print the step with the seconds since the start, unless that was done."""
        with self._lock:
            if step in self._printed:
                return
            self._printed.add(step)
            seconds = time.monotonic() - self._began
            self._out.print(f"{seconds:4.0f} s  {demo.STEPS[step]}", markup=False)


def show_demo(data: Path, *, as_json: bool = False) -> None:
    """Run the demo on the data folder and print its summary; the stack is stopped at the end."""
    began = time.monotonic()
    if not as_json:
        terminal.out.print(EXPECTED_TIME)
    with interruptible() as stopping, _steps(as_json=as_json) as progress:

        def check_interrupt() -> None:
            if stopping.is_set():
                raise KeyboardInterrupt

        summary = demo.run_demo(data, progress, check_interrupt)
    if as_json:
        print(json.dumps(summary_as_json(summary)))  # noqa: T201
    else:
        _show_summary(summary, data, time.monotonic() - began)


@contextmanager
def _steps(*, as_json: bool) -> Iterator[Progress]:
    """Yield what shows the steps: live on a terminal, plain lines elsewhere, nothing beside JSON."""
    if as_json:
        yield no_progress
    elif terminal.out.is_terminal and terminal.err.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description:<40}"), BarColumn(), TimeElapsedColumn())
        with ProgressBar(*columns, console=terminal.err) as bar:
            steps = LiveSteps(bar)
            yield steps
            steps.finish()
    else:
        yield PlainSteps(terminal.out)


def summary_as_json(summary: demo.Summary) -> dict[str, Any]:
    """Return the summary under the names that `demo --json` uses."""
    return {
        "landed": summary.landed,
        "known": summary.known,
        "people": summary.people,
        "segments": {name: customers for name, _, customers in summary.segments},
        **summary.status,
    }


def _show_summary(summary: demo.Summary, data: Path, seconds: float) -> None:
    out = terminal.out
    ingest = summary.status["ingest"]
    counted = ("files", "received", "loaded", "duplicates", "quarantined")
    received = [*(ingest[name] for name in counted), ingest["balanced"]]
    segments = [(name, customers, doc) for name, doc, customers in summary.segments]
    nothing_new = " Nothing was new: this demo ran before." if summary.known and not summary.landed else ""
    out.print()
    out.print(terminal.grid("Received", [*counted, "books balance"], [received]))
    out.print(
        f"{_PURCHASES} Contacts and clicks around them are generated, and so is the company of "
        f"{DemoPolicy.company_customers} people beside them, with Zoho, 悟空 and a Shopify shop."
    )
    out.print(terminal.grid("Who is who", list(summary.people), [list(summary.people.values())]))
    out.print(terminal.grid(f"Segments as of {demo.AS_OF}", ("segment", "customers", "who"), segments))
    terminal.show_deliveries(summary.status["deliveries"])
    out.print(
        f"Done in {seconds:.0f} s.{nothing_new} The stack is stopped; its data stays in {data}. Try next:"
    )
    for command in next_commands(data, _program()):
        out.print(f"  {command}", markup=False, soft_wrap=True)


def next_commands(data: Path, program: str) -> list[str]:
    """Return what to type after a demo on the data folder."""
    queries = [f'sql "{query}"' for query in _QUERIES]
    return [command_line(command, data, program) for command in (*queries, "up")]


def _program() -> str:
    """Return how this command can be called again: by its name where that is on the PATH, else by its path."""
    if shutil.which("lakehouse"):
        return "lakehouse"
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
