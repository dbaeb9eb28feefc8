"""Raw files: put, sweep."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, show_progress
from lakehouse.command_line import command_line
from lakehouse.console.policy import TerminalPolicy
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from lakehouse.landing.put import FileToPut
    from lakehouse.settings import Settings


@app.command()
def put(
    source_key: Annotated[
        str, typer.Argument(metavar="SOURCE/ENTITY", help="What the files hold, e.g. web/events.")
    ],
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="Files to land, and folders whose files to land, at any depth."),
    ],
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Land files; a running stack loads them at once, another when it is next up.

    A file that is there already as the newest of its name does not land again.
    """
    from lakehouse.landing.put import Landed, check_source_key, files_in, put_all
    from lakehouse.local.attachment import attach
    from lakehouse.local.session import session

    check_source_key(source_key)
    number, size = _sum(files_in(files))
    if not number:
        raise Terminal(f"no files in {', '.join(map(str, files))}; names that begin with a dot do not count")
    running = (info := attach(data)) is not None and info.services == "all"
    fresh = finished = 0
    refused: list[str] = []
    with (
        session(data, "store", must_exist=False) as settings,
        show_progress("landing", quiet=as_json) as report,
        _json_list(as_json) as print_item,
    ):

        def report_bytes(_step: str, /, done: int = 0, total: int = 0) -> None:
            report(f"landing {finished:,} of {number:,}", done, total)

        outcomes = put_all(settings, source_key, files_in(files), total_bytes=size, progress=report_bytes)
        for outcome in outcomes:
            finished += 1
            if isinstance(outcome, Landed):
                fresh += outcome.fresh
                print_item({"key": outcome.key, "bytes": outcome.bytes, "fresh": outcome.fresh})
            else:
                refused.append(outcome.reason)
                print_item({"path": str(outcome.path), "error": outcome.reason})
        known = _sources(settings)
        trouble = _store_trouble(settings, data) if refused else ""
    if not as_json:
        print(f"{fresh} landed, {finished - fresh - len(refused)} were there already")
        if source_key not in known:
            _print_unknown(source_key, known, data)
        elif fresh:
            print(
                "the running stack loads them now" if running else f"`{command_line('up', data)}` loads them"
            )
    _complain(refused, finished, trouble)


def _store_trouble(settings: Settings, data: Path) -> str:
    """Return why the store takes no writes, and what to do; "" where it takes them."""
    from lakehouse.landing.probe import try_writes
    from lakehouse.local.services.store_watch import store_trouble

    return store_trouble(data / "store", lambda: try_writes(settings.landing_bucket, settings.ops_bucket))


def _print_unknown(source_key: str, known: list[str], data: Path) -> None:
    """Print what becomes of files that no source definition fits."""
    from lakehouse.definitions import nearest

    near = nearest(source_key, known, command_line("sources list", data))
    print(
        f"no source definition fits {source_key}, so they will be quarantined{near}; "
        f"`lakehouse sources suggest` drafts one, `{command_line('sources add', data)}` loads them with it"
    )


def _sum(files: Iterable[FileToPut]) -> tuple[int, int]:
    """Return how many files there are and their bytes; what is no file counts as one without bytes."""
    number = size = 0
    for file in files:
        number += 1
        with suppress(OSError):
            size += file.path.stat().st_size
    return number, size


@contextmanager
def _json_list(as_json: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Print a JSON list, an item a line as it comes; nothing where nobody asked for it."""
    first = True

    def print_item(item: dict[str, Any]) -> None:
        nonlocal first
        if as_json:
            print("[" if first else ",", json.dumps(item), sep="" if first else "\n")
            first = False

    yield print_item
    if as_json:
        print("[]" if first else "]")


def _complain(refused: list[str], number: int, trouble: str) -> None:
    """Tell what could not be landed, and end with an exit code that says so; `trouble` is what ails the store."""
    from lakehouse.console.terminal import complain

    if not refused:
        return
    advice = f"{trouble}; then put again what was not landed" if trouble else ""
    if number == 1:
        raise Terminal(f"{refused[0]}; {advice}" if advice else refused[0])
    for reason in refused[: TerminalPolicy.refusals_shown]:
        complain(reason)
    more = (
        f", the first {TerminalPolicy.refusals_shown} of them above"
        if len(refused) > TerminalPolicy.refusals_shown
        else ""
    )
    raise Terminal(
        f"{len(refused):,} of {number:,} files were not landed{more}; "
        f"{advice or 'put them again once that is mended'}"
    )


def _sources(settings: Settings) -> list[str]:
    from lakehouse.sources import definition

    return [f"{source}/{entity}" for source, entity in definition.load(settings.definitions)]


@app.command()
def sweep(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Announce raw files that no event announced to the running stack, which does so itself every 15 minutes."""
    from lakehouse.local.attachment import attach
    from lakehouse.local.session import session
    from lakehouse.stages.sweep import sweep as look

    if (info := attach(data)) is None or info.services != "all":
        up = command_line("up", data)
        raise Terminal(f"no stack runs on {data}; `{up}` starts one, and sweeps as it starts")
    with session(data, "all") as settings, show_progress("reading the books", quiet=as_json) as report:
        count = look(settings, report)
    print(json.dumps(count) if as_json else f"{count} announced")
