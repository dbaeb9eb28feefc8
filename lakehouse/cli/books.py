"""The system's own books: books."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, progress
from lakehouse.cli.function_log import logged


@app.command()
def books(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Write the books anew from what they copy; nothing is lost.")
    ] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Copy into ops.* what commits and objects say: ledger, quarantine, deliveries, audit log."""
    from lakehouse.local.session import session

    with session(data, "store") as settings, logged(data), progress(quiet=as_json) as bar:
        from lakehouse.stages.books import keep_books, rebuild_books

        if rebuild:
            task = bar.add_task("writing the books anew", total=None)
            found = rebuild_books(
                settings,
                lambda _step, done=0, total=0: bar.update(task, completed=done, total=total or None),
            )
        else:
            bar.add_task("copying what is new", total=None)
            found = {name: {"copied": rows} for name, rows in keep_books(settings).items()}
    if as_json:
        print(json.dumps(found))
        return
    from lakehouse.console.terminal import grid, out

    columns = list(next(iter(found.values())))
    rows = [[name, *counts.values()] for name, counts in found.items()]
    out.print(grid("Rows of the books", ("table", *columns), rows))
