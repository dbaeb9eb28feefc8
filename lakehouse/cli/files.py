"""Raw files: put, sweep."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, progress
from lakehouse.command_line import command_line
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_REASONS = 20  # why a file was not landed, that a terminal shows


@app.command()
def put(
    place: Annotated[
        str, typer.Argument(metavar="SOURCE/ENTITY", help="What the files hold, e.g. web/events.")
    ],
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="Files to land, and folders whose files to land, at any depth."),
    ],
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Land files; a running stack loads them at once, another when it is next up. The same file lands once."""
    from lakehouse.definitions import nearest
    from lakehouse.landing.put import Landed, check_source_key, files_in, put_all
    from lakehouse.local.attachment import attach
    from lakehouse.local.session import session

    check_source_key(place)
    number, size = _sum(files_in(files))
    if not number:
        raise Terminal(f"no files in {', '.join(map(str, files))}; names that begin with a dot do not count")
    running = (info := attach(data)) is not None and info.services == "all"
    fresh = done = 0
    refused: list[str] = []
    with (
        session(data, "store", must_exist=False) as settings,
        progress(quiet=as_json) as bar,
        _told(as_json) as tell,
    ):
        task = bar.add_task("landing", total=size)

        def show(step: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG001 - of one step
            bar.update(task, completed=done)

        outcomes = put_all(
            settings.landing_bucket,
            place,
            files_in(files),
            total_bytes=size,
            progress=show,
        )
        for one in outcomes:
            done += 1
            bar.update(task, description=f"landing {done:,} of {number:,}")
            if isinstance(one, Landed):
                fresh += one.fresh
                tell({"key": one.key, "bytes": one.bytes, "fresh": one.fresh})
            else:
                refused.append(one.reason)
                tell({"path": str(one.path), "error": one.reason})
        known = _sources(settings)
    if not as_json:
        print(f"{fresh} landed, {done - fresh - len(refused)} were there already")
        if place not in known:
            near = nearest(place, known, command_line("sources list", data))
            print(
                f"no source definition fits {place}, so they will be quarantined{near}; "
                f"`lakehouse sources suggest` drafts one, `{command_line('sources add', data)}` loads them with it"
            )
        elif fresh:
            print(
                "the running stack loads them now" if running else f"`{command_line('up', data)}` loads them"
            )
    _complain(refused, done)


def _sum(paths: Iterable[Path]) -> tuple[int, int]:
    """Return how many files there are and their bytes; what is no file counts as one without bytes."""
    number = size = 0
    for path in paths:
        number += 1
        with suppress(OSError):
            size += path.stat().st_size
    return number, size


@contextmanager
def _told(as_json: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Print a JSON list, an item a line as it comes; nothing where nobody asked for it."""
    first = True

    def tell(item: dict[str, Any]) -> None:
        nonlocal first
        if as_json:
            print("[" if first else ",", json.dumps(item), sep="" if first else "\n")
            first = False

    yield tell
    if as_json:
        print("[]" if first else "]")


def _complain(refused: list[str], number: int) -> None:
    """Tell what could not be landed, and end with an exit code that says so."""
    from lakehouse.console.terminal import complain

    if not refused:
        return
    if number == 1:
        raise Terminal(refused[0])
    for reason in refused[:_REASONS]:
        complain(reason)
    more = f", the first {_REASONS} of them above" if len(refused) > _REASONS else ""
    raise Terminal(
        f"{len(refused):,} of {number:,} files were not landed{more}; put them again once that is mended"
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
    with session(data, "all") as settings, progress(quiet=as_json) as bar:
        task = bar.add_task("reading the books", total=None)
        count = look(settings, lambda step, _done=0, _total=0: bar.update(task, description=step))
    print(json.dumps(count) if as_json else f"{count} announced")
