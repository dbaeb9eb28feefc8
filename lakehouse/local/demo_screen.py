"""Plays the demo for a person: stack and sample side by side, then the loop with a live line a stage."""

from __future__ import annotations

import json
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lakehouse import settings as settings_module
from lakehouse.console import terminal
from lakehouse.local import demo
from lakehouse.local.attachment import interruptible
from lakehouse.local.stack import Stack

_STAGES = {
    "sample": "writing the sample company",
    "land": "landing its files",
    "ingest": "loading raw tables",
    "resolve": "working out who is who",
    "aggregate": "computing customers and marts",
    "export_segments": "segments, and what the CRM must know",
}


class _Lines:
    """One line a stage; a stage is done when a later one has something to do."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks = {name: bar.add_task(text, total=None, start=False) for name, text in _STAGES.items()}

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """Show progress of a stage; without a count it is merely under way."""
        name = step if step in self._tasks else "sample"
        task = self._tasks[name]
        self._bar.start_task(task)
        if total:
            self._bar.update(task, total=total, completed=done)

    def finish(self) -> None:
        """Mark every line as done."""
        for task in self._tasks.values():
            self._bar.start_task(task)
            self._bar.update(task, total=1, completed=1)


def play(data: Path, *, as_json: bool = False) -> None:
    """Run the demo on the data folder and print its summary; the stack is stopped at the end."""
    began = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description:<40}"), BarColumn(), TimeElapsedColumn())
    with (
        interruptible() as stopping,
        Stack(data, as_of=demo.AS_OF) as stack,
        Progress(*columns, console=terminal.err, disable=as_json or not terminal.err.is_terminal) as bar,
    ):
        lines = _Lines(bar)

        def heed() -> None:
            if stopping.is_set():
                raise KeyboardInterrupt

        with ThreadPoolExecutor(1) as pool:
            written = pool.submit(demo.write_sample, data, lines)
            stack.start("all")
            files = written.result()
        settings = settings_module.current()
        stack.run()  # before files land: each is announced once, and the sweep of the start finds none
        landed, known = demo.land(settings, files, lines)
        demo.settle(settings, lines, heed)
        _ = stack.invoke("books", {"Records": []})
        summary = demo.summarise(settings, landed, known)
        lines.finish()
    if as_json:
        print(json.dumps(_as_json(summary)))  # noqa: T201
    else:
        _show(summary, data, time.monotonic() - began)


def _command() -> str:
    """Return how this command can be called again: by its name where that is found, else by its path."""
    if shutil.which("lakehouse"):
        return "lakehouse"
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _as_json(summary: demo.Summary) -> dict[str, Any]:
    return {
        "landed": summary.landed,
        "known": summary.known,
        "people": summary.people,
        "segments": {name: size for name, _, size in summary.segments},
        **summary.status,
    }


def _show(summary: demo.Summary, data: Path, seconds: float) -> None:
    out = terminal.out
    ingest = summary.status["ingest"]
    names = ("files", "received", "loaded", "duplicates", "quarantined")
    out.print()
    out.print(
        terminal.grid(
            "Received", [*names, "books balance"], [[*(ingest[n] for n in names), ingest["balanced"]]]
        )
    )
    out.print(
        "The 69,659 purchases of CDNOW's 23,570 customers are real. Contacts and clicks around them are generated, and "
        f"so is the company of {demo.COMPANY} people beside them, with Zoho, 悟空 and a Shopify shop."
    )
    out.print(terminal.grid("Who is who", list(summary.people), [list(summary.people.values())]))
    rows = [(name, size, doc) for name, doc, size in summary.segments]
    out.print(terminal.grid(f"Segments as of {demo.AS_OF}", ("segment", "customers", "who"), rows))
    terminal.show_deliveries(summary.status["deliveries"])
    again = " Nothing was new: this demo ran before." if summary.known and not summary.landed else ""
    out.print(f"Done in {seconds:.0f} s.{again} The stack is stopped; its data stays in {data}. Try next:")
    command = _command()
    flag = "" if data == Path(".lakehouse") else f" --data {data}"
    out.print(
        f'  {command} sql{flag} "select rfm, count(*) from marts.rfm group by 1 order by 2 desc limit 5"'
    )
    out.print(f'  {command} sql{flag} "select code, reason, count(*) from ops.quarantine group by all"')
    out.print(f"  {command} up{flag}")
