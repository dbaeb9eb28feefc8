"""The `lakehouse` command. Every command answers --help, speaks JSON with --json and ends with 0 on success only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.errors import LakehouseError, Terminal

if TYPE_CHECKING:
    from rich.progress import Progress

    from lakehouse.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Closes the loop between a CRM and a clickstream, in your own object storage.",
)
Data = Annotated[Path, typer.Option("--data", help="Folder of the local stack.", show_default=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
DEFAULT = Path(".lakehouse")
ROWS = 100  # of an answer, that a terminal shows


def main() -> None:
    """Run the command; errors are told in a line, not as a traceback."""
    try:
        app()
    except LakehouseError as error:
        _fail(str(error))
    except Exception as error:
        if "--traceback" in sys.argv[1:2]:
            raise
        first = (str(error).strip() or "no message").splitlines()[0]
        _fail(f"{type(error).__name__}: {first} (`lakehouse --traceback …` shows where)")


def _fail(message: str) -> None:
    from lakehouse.console.terminal import complain

    complain(message)
    sys.exit(1)


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(version("crm-lakehouse"))
        raise typer.Exit


@app.callback()
def _options(
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an unexpected error came from.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def up(
    data: Data = DEFAULT,
    as_of: Annotated[
        str | None,
        typer.Option(
            help='Day that "recently" and the like look back from (kept for later starts); "now" forgets it.'
        ),
    ] = None,
) -> None:
    """Start the stack and run the functions on their events, until Ctrl-C."""
    from lakehouse.console.terminal import out
    from lakehouse.local.attachment import interruptible
    from lakehouse.local.stack import Stack

    with interruptible() as stopping, Stack(data, as_of=as_of) as stack:
        out.print("starting object store, catalog, queues …")
        stack.start("all")
        info = stack.run(_tell_call)
        from lakehouse.console.terminal import grid

        out.print(grid("Ready; stop with Ctrl-C", ("endpoint", "url"), list(info.endpoints.items())))
        out.print(f"Keys and all other settings: {data / 'stack.json'}")
        stack.wait(stopping)
        out.print("stopping …")


def _tell_call(function: str, size: int, seconds: float, failures: int) -> None:
    from lakehouse.console.terminal import out

    if function in ("sweep", "tick") and not failures:
        return
    what = f"{size} message{'s' if size != 1 else ''}"
    wrong = f", [red]{failures} to be tried again[/]" if failures else ""
    out.print(f"{datetime.now():%H:%M:%S}  {function:<16} {what:<14} {seconds:6.1f} s{wrong}")  # noqa: DTZ005


@app.command()
def down(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Stop the stack that runs on the data folder, and what a killed one left behind."""
    from lakehouse.local.attachment import shut_down

    stopped = shut_down(data)
    print(
        json.dumps({"stopped": stopped}) if as_json else ("stopped" if stopped else f"nothing ran on {data}")
    )


@app.command()
def demo(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Run the whole loop on 69,659 real purchases and generated people; run again, it changes nothing."""
    from lakehouse.local.play import play

    play(data, as_json=as_json)


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
    with session(data, "store", must_exist=False) as settings, _progress(quiet=as_json) as bar:
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
def invoke(
    function: Annotated[str, typer.Argument(help="Function, e.g. ingest.")],
    event: Annotated[Path, typer.Argument(help="JSON file of the event; see the folder events/.")],
    data: Data = DEFAULT,
) -> None:
    """Call one function with an event, as its trigger would, and print its answer as JSON."""
    from lakehouse.local.sandbox import Invoker
    from lakehouse.local.session import session
    from lakehouse.local.stack import load_wiring

    try:
        payload = json.loads(event.read_text("utf-8"))
    except OSError as error:
        raise Terminal(f"{event}: {error.strerror or error}") from None
    except ValueError as error:
        raise Terminal(f"{event}: not JSON: {error}") from None
    functions = load_wiring(data).functions
    if function not in functions:
        raise Terminal(f"no function {function!r}; there are {', '.join(sorted(functions))}")
    with session(data, "all", must_exist=False):
        print(json.dumps(Invoker(functions).invoke(function, payload), default=str))


@app.command()
def status(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Show what was received and what became of it, the tables, and what was sent to the CRM.

    Ends with 1 when the books do not balance.
    """
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages.status import status as look

        found = look(settings)
    if as_json:
        print(json.dumps(found))
    else:
        from lakehouse.console.terminal import show_status

        show_status(found)
    parts = {"raw files": found["ingest"], **found["deliveries"]}
    if wrong := [name for name, part in parts.items() if not part["balanced"]]:
        raise Terminal(
            f"the books of {', '.join(wrong)} do not balance: rows are missing or doubled; see docs/runbook.md"
        )


@app.command()
def sql(
    query: Annotated[
        str | None, typer.Argument(help="One SELECT in DuckDB's SQL; read from standard input when left out.")
    ] = None,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Ask the tables: raw.*, core.*, marts.*, ops.*. It only reads; `show all tables` lists what there is."""
    from lakehouse.local.session import session

    if query is None and sys.stdin.isatty():
        print("type one SELECT, then Ctrl-D", file=sys.stderr)
    text = query if query is not None else sys.stdin.read()
    with session(data, "store") as settings:
        from lakehouse.stages import ask

        con = ask.connect(settings)
        try:
            answer = ask.ask(con, text)
            columns = [column[0] for column in answer.description or []]
            if as_json:
                from lakehouse.console.answers import as_json as pieces

                sys.stdout.writelines(pieces(columns, iter(answer.fetchone, None)))
            else:
                from lakehouse.console.terminal import show_rows

                rows = answer.fetchmany(ROWS + 1)
                show_rows(columns, rows[:ROWS], more=len(rows) > ROWS)
        finally:
            con.close()


@app.command()
def sweep(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Announce raw files that no event announced to the running stack, which does so itself every 15 minutes."""
    from lakehouse.local.attachment import attach
    from lakehouse.local.session import session
    from lakehouse.stages.sweep import sweep as look

    if (info := attach(data)) is None or info.services != "all":
        raise Terminal(f"no stack runs on {data}; `lakehouse up` starts one, and sweeps as it starts")
    with session(data, "all") as settings, _progress(quiet=as_json) as bar:
        bar.add_task("looking for files that nobody announced", total=None)
        count = look(settings)
    print(json.dumps(count) if as_json else f"{count} announced")


@app.command()
def maintain(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Expire snapshots that nobody needs any more, with their files."""
    from lakehouse.local.session import session

    with session(data, "store") as settings, _progress(quiet=as_json) as bar:
        from lakehouse.stages.maintain import maintain as expire

        bar.add_task("expiring snapshots", total=None)
        removed = expire(settings)
    if as_json:
        print(json.dumps(removed))
        return
    from lakehouse.console.terminal import grid, out

    rows = [(name, gone["snapshots"], gone["files"]) for name, gone in removed.items() if gone["snapshots"]]
    if rows:
        out.print(grid("Expired", ("table", "snapshots", "files"), rows))
    else:
        print(f"{len(removed)} tables have nothing to expire")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    from rich.progress import Progress

    from lakehouse.console.terminal import err

    with Progress(console=err, disable=quiet or not err.is_terminal, transient=True) as bar:
        yield bar
