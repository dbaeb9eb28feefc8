"""What arrives: list the sources, refill their columns, look into a file that nobody has seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, settings_of, show_progress
from lakehouse.errors import BadFile, Terminal

if TYPE_CHECKING:
    from lakehouse.ingest.profile.profile import Profile

sources = typer.Typer(no_args_is_help=True, help="What arrives, and how it is read.")
app.add_typer(sources, name="sources")


@sources.command("list")
def list_sources(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """List the sources with their tables, formats and columns: those that ship, and the data folder's own."""
    from lakehouse.stages.refill_source import list_sources as sources_of

    listed = sources_of(settings_of(data))
    if as_json:
        print(json.dumps(listed))
        return
    from lakehouse.console.terminal import grid, out

    rows = [
        (f"{source['source']}/{source['entity']}", source["table"], source["format"], len(source["columns"]))
        for source in listed
    ]
    out.print(grid("Sources", ("source", "table", "format", "columns"), rows))


@sources.command("refill")
def refill(
    source_key: Annotated[str, typer.Argument(metavar="SOURCE/ENTITY", help="E.g. shop/orders.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; change nothing.")] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Move values that older rows keep in `extra` to the columns that the mapping names by now.

    What does not fit a column's type stays in `extra`. Again, it changes nothing.
    """
    from lakehouse.local.session import session

    with (
        session(data, "store" if dry_run else "all") as settings,
        show_progress("looking through extra", quiet=as_json) as report,
    ):
        from lakehouse.stages.refill_source import refill_source

        done = refill_source(settings, source_key, dry_run=dry_run, progress=report)
    if as_json:
        print(json.dumps(done))
        return
    from lakehouse.console.terminal import counted, grid, out

    names = sorted(done["moved"].keys() | done["kept"].keys())
    if names:
        rows = [(name, done["moved"].get(name, 0), done["kept"].get(name, 0)) for name in names]
        out.print(grid("Values in extra", ("column", "would move" if dry_run else "moved", "stay"), rows))
    changed = f"{counted(done['rows'], 'row')} in {counted(done['files'], 'file')}"
    print(f"{changed} {'would change' if dry_run else 'changed'}")


@sources.command("profile")
def profile(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any file that ingest reads, packed or not.")],
    as_json: AsJson = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="OUT.html", help="Write a page for a browser, too.")
    ] = None,
    rows: Annotated[
        int,
        typer.Option("--rows", min=1, help="Rows of the sample that types and kinds are told from, at most."),
    ] = 20_000,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Of text that is neither Unicode nor GB 18030.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="Of a workbook; without it the first that is visible.")
    ] = None,
) -> None:
    """Tell what a file holds: types, formats, keys, what looks personal. Values are shown masked only."""
    from lakehouse.ingest.profile import profile as profiles
    from lakehouse.settings import current

    hints = profiles.ReadingHints(encoding, sheet)
    try:
        with show_progress("reading", quiet=as_json) as report:
            measured = profiles.profile(current(), file, hints, sample_rows=rows, progress=report)
    except BadFile as error:
        if as_json:
            print(json.dumps({"file": str(file), "code": error.code, "error": error.reason}))
        raise
    if html is not None:
        _write_page(html, file.name, measured)
    from lakehouse.console.profile import as_json as profile_as_json
    from lakehouse.console.profile import show_profile

    if as_json:
        print(json.dumps(profile_as_json(str(file), measured), ensure_ascii=False))
    else:
        show_profile(str(file), measured)


def _write_page(path: Path, name: str, measured: Profile) -> None:
    from lakehouse.console.profile_page import page

    try:
        path.write_text(page(name, measured), "utf-8")
    except OSError as error:
        raise Terminal(f"{path} cannot be written: {error.strerror}") from error
