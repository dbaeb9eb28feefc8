"""Raw files: put, sweep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, progress
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from lakehouse.settings import Settings


@app.command()
def put(
    place: Annotated[
        str, typer.Argument(metavar="SOURCE/ENTITY", help="What the files hold, e.g. web/events.")
    ],
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files to land.")],
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Land files; a running stack loads them at once, another when it is next up. The same file lands once."""
    from lakehouse.landing.put import put as land
    from lakehouse.local.attachment import attach
    from lakehouse.local.session import session

    for path in files:  # all of them before the first is landed
        if not path.is_file():
            raise Terminal(f"{path}: {'a folder; name its files' if path.is_dir() else 'no such file'}")
    running = (info := attach(data)) is not None and info.services == "all"
    with session(data, "store", must_exist=False) as settings, progress(quiet=as_json) as bar:
        task = bar.add_task("landing", total=sum(path.stat().st_size for path in files))
        landed = [
            land(settings.landing_bucket, place, path, progress=lambda sent: bar.advance(task, sent))
            for path in files
        ]
        known = _sources(settings)
    if as_json:
        print(json.dumps([{"key": one.key, "bytes": one.bytes, "fresh": one.fresh} for one in landed]))
        return
    fresh = sum(one.fresh for one in landed)
    print(f"{fresh} landed, {len(landed) - fresh} were there already")
    if place not in known:
        print(f"no source definition fits {place}, so they will be quarantined; there are {', '.join(known)}")
    elif fresh:
        print("the running stack loads them now" if running else "`lakehouse up` loads them")


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
        raise Terminal(f"no stack runs on {data}; `lakehouse up` starts one, and sweeps as it starts")
    with session(data, "all") as settings, progress(quiet=as_json) as bar:
        bar.add_task("looking for files that nobody announced", total=None)
        count = look(settings)
    print(json.dumps(count) if as_json else f"{count} announced")
