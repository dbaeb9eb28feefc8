"""The `lakehouse` command. Every command answers --help, speaks JSON with --json and ends with 0 on success only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.errors import LakehouseError, Terminal

if TYPE_CHECKING:
    from rich.progress import Progress

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Closes the loop between a CRM and a clickstream, in your own object storage.",
)
Data = Annotated[Path, typer.Option("--data", help="Folder of the local stack.", show_default=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
DEFAULT = Path(".lakehouse")


def main() -> None:
    """Run the command; errors are told in a line, not as a traceback."""
    try:
        app()
    except LakehouseError as error:
        from lakehouse.console.terminal import err

        err.print(f"[bold red]lakehouse:[/] {str(error).replace('[', chr(92) + '[')}", soft_wrap=True)
        sys.exit(1)


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
    print(json.dumps({"stopped": stopped}) if as_json else ("stopped" if stopped else "nothing was running"))


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

    running = (info := attach(data)) is not None and info.services == "all"
    with session(data, "store", must_exist=False) as settings, _progress(quiet=as_json) as bar:
        task = bar.add_task("landing", total=sum(path.stat().st_size for path in files if path.is_file()))
        landed = [
            land(settings.landing_bucket, place, path, progress=lambda sent: bar.advance(task, sent))
            for path in files
        ]
    if as_json:
        print(json.dumps([{"key": one.key, "bytes": one.bytes, "fresh": one.fresh} for one in landed]))
        return
    fresh = sum(one.fresh for one in landed)
    print(f"{fresh} landed, {len(landed) - fresh} were there already")
    if fresh:
        print("the running stack loads them now" if running else "`lakehouse up` loads them")


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
    except (OSError, ValueError) as error:
        raise Terminal(f"{event}: not a JSON file: {error}") from None
    with session(data, "all", must_exist=False):
        functions = load_wiring(data).functions
        if function not in functions:
            raise Terminal(f"no function {function!r}; there are {', '.join(sorted(functions))}")
        print(json.dumps(Invoker(functions).invoke(function, payload), default=str))


@app.command()
def status(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Show what was received and what became of it, the tables, and what was sent to the CRM."""
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages.status import status as look

        found = look(settings)
    if as_json:
        print(json.dumps(found))
    else:
        from lakehouse.console.terminal import show_status

        show_status(found)
    balanced = found["ingest"]["balanced"] and all(one["balanced"] for one in found["deliveries"].values())
    if not balanced:
        raise Terminal("the books do not balance: rows are missing or doubled; see docs/runbook.md")


@app.command()
def sql(
    query: Annotated[
        str | None, typer.Argument(help="SQL of DuckDB; read from standard input when left out.")
    ] = None,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Ask the tables: raw.*, core.*, marts.*, ops.*, as views in DuckDB."""
    import duckdb

    from lakehouse.local.session import session

    text = query if query is not None else sys.stdin.read()
    with session(data, "store") as settings:
        from lakehouse.engine import duck
        from lakehouse.tables import views

        con = duck.connect(settings)
        try:
            views.open_tables(con, settings)
            answer = con.execute(text)
            columns = [column[0] for column in answer.description or []]
            rows = answer.fetchall()
        except duckdb.Error as error:
            raise Terminal(str(error)) from None
        finally:
            con.close()
    if as_json:
        print(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=_plain))
    else:
        from lakehouse.console.terminal import show_rows

        show_rows(columns, rows)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


@app.command()
def sweep(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Announce raw files that no event announced to the running stack."""
    _report("sweep", data, as_json)


@app.command()
def maintain(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Expire snapshots that nobody needs any more, with their files."""
    _report("maintain", data, as_json)


def _report(stage: str, data: Path, as_json: bool) -> None:
    from importlib import import_module

    from lakehouse.local.session import session

    with session(data, "all") as settings, _progress(quiet=as_json) as bar:
        bar.add_task(stage, total=None)
        answer = getattr(import_module(f"lakehouse.stages.{stage}"), stage)(settings)
    print(json.dumps(answer) if as_json else f"{stage}: {answer}")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    from rich.progress import Progress

    from lakehouse.console.terminal import err

    with Progress(console=err, disable=quiet or not err.is_terminal, transient=True) as bar:
        yield bar
