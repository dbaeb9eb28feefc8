"""What arrives: list the sources, refill their columns."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, progress

sources = typer.Typer(no_args_is_help=True, help="What arrives, and how it is read.")
app.add_typer(sources, name="sources")


@sources.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """List the sources with their tables, formats and columns."""
    from lakehouse.settings import current
    from lakehouse.stages.refill import listed

    found = listed(current())
    if as_json:
        print(json.dumps(found))
        return
    from lakehouse.console.terminal import grid, out

    rows = [
        (f"{one['source']}/{one['entity']}", one["table"], one["format"], len(one["columns"]))
        for one in found
    ]
    out.print(grid("Sources", ("source", "table", "format", "columns"), rows))


@sources.command("refill")
def refill(
    place: Annotated[str, typer.Argument(metavar="SOURCE/ENTITY", help="E.g. shop/orders.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; change nothing.")] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Move values that older rows keep in `extra` to the columns that the mapping names by now.

    What does not fit a column's type stays in `extra`. Again, it changes nothing.
    """
    from lakehouse.local.session import session

    with session(data, "store" if dry_run else "all") as settings, progress(quiet=as_json) as bar:
        from lakehouse.stages.refill import refill_source

        task = bar.add_task("looking through extra", total=None)
        done = refill_source(
            settings, place, dry_run=dry_run, on=lambda far, of: bar.update(task, completed=far, total=of)
        )
    if as_json:
        print(json.dumps(done))
        return
    from lakehouse.console.terminal import grid, out

    names = sorted(done["moved"].keys() | done["kept"].keys())
    if names:
        rows = [(name, done["moved"].get(name, 0), done["kept"].get(name, 0)) for name in names]
        out.print(grid("Values in extra", ("column", "would move" if dry_run else "moved", "stay"), rows))
    print(f"{done['rows']} rows in {done['files']} files {'would change' if dry_run else 'changed'}")
