"""The command itself: its options, how errors are told, how progress is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.command_line import DEFAULT_DATA
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from lakehouse.progress import Progress
    from lakehouse.settings import Settings


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Closes the loop between a CRM and a clickstream, in your own object storage.",
)
Data = Annotated[Path, typer.Option("--data", help="Folder of the local stack.", show_default=True)]
CUSTOMER = "Customer id, e-mail, phone with country code, or TYPE:VALUE, as crm_id:42."
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
DEFAULT = DEFAULT_DATA


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


def settings_of(data: Path) -> Settings:
    """Return the settings with the definitions that a stack on the data folder reads, without starting one."""
    from lakehouse.settings import current

    settings = current()
    own = data / "definitions"
    if settings.definitions is None and own.is_dir():
        return settings.model_copy(update={"definitions": own.absolute()})
    return settings


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


@contextmanager
def show_progress(step: str, *, quiet: bool) -> Iterator[Progress]:
    """Show a progress bar on the terminal, and none where nobody looks; what is yielded moves it.

    `step` stands beside it until another one is reported.
    """
    from rich.progress import Progress as ProgressBar

    from lakehouse.console.terminal import err

    with ProgressBar(console=err, disable=quiet or not err.is_terminal, transient=True) as bar:
        task = bar.add_task(step, total=None)

        def report(step: str, /, done: int = 0, total: int = 0) -> None:
            bar.update(task, description=step, completed=done, total=total or None)

        yield report
