"""The system's own books: books."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, show_progress
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

    step = "writing the books anew" if rebuild else "copying what is new"
    with session(data, "store") as settings, logged(data), show_progress(step, quiet=as_json) as report:
        from lakehouse.stages.books import keep_books, rebuild_books

        if rebuild:
            counts_by_table = rebuild_books(settings, report)
        else:
            counts_by_table = {name: {"copied": rows} for name, rows in keep_books(settings).items()}
    if as_json:
        print(json.dumps(counts_by_table))
        return
    from lakehouse.console.terminal import grid, out

    columns = list(next(iter(counts_by_table.values())))
    rows = [[name, *counts.values()] for name, counts in counts_by_table.items()]
    out.print(grid("Rows of the books", ("table", *columns), rows))
