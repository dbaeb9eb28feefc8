"""The stack on this machine: up, down, demo, invoke."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app
from lakehouse.errors import Terminal


@app.command()
def up(
    data: Data = DEFAULT,
    as_of: Annotated[
        str | None,
        typer.Option(
            help='Day that "recently" and the like look back from (kept for later starts); "now" forgets it.'
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            help="Zone whose days are the business's, such as Asia/Shanghai (kept for later starts; at first UTC)."
        ),
    ] = None,
) -> None:
    """Start the stack and run the functions on their events, until Ctrl-C."""
    from lakehouse.console.call_lines import CallLines
    from lakehouse.console.terminal import complain, grid, out
    from lakehouse.local.attachment import interruptible
    from lakehouse.local.stack import Stack

    with interruptible() as stopping, Stack(data, as_of=as_of, time_zone=time_zone) as stack:
        out.print("starting object store, catalog, queues …")
        stack.start("all")
        lines = CallLines(data=data)

        def show_call(function: str, size: int, seconds: float, failures: int) -> None:
            line = lines.line(function, size, seconds, failures, datetime.now())  # noqa: DTZ005 - a person's own time
            if line is not None:
                out.print(line)

        info = stack.run(show_call, tell=complain)
        out.print(grid("Ready; stop with Ctrl-C", ("endpoint", "url"), list(info.endpoints.items())))
        out.print(f"Keys and all other settings: {data / 'stack.json'}")
        stack.wait(stopping)
        out.print("stopping …")


@app.command()
def down(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Stop the stack that runs on the data folder, and what a killed one left behind."""
    from lakehouse.local.attachment import shut_down

    stopped = shut_down(data)
    print(
        json.dumps({"stopped": stopped}) if as_json else ("stopped" if stopped else f"nothing ran on {data}")
    )


@app.command()
def demo(
    shop: Annotated[
        bool,
        typer.Option(
            "--shop",
            help="Serve a small shop on this machine instead, until Ctrl-C: what is clicked in it shows up in the"
            " tables. Its stack is in the folder shop of the data folder.",
        ),
    ] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Run the whole loop on 69,659 real purchases and generated people; run again, it changes nothing."""
    if shop:
        from lakehouse.local.shop.screen import show_shop

        show_shop(data, as_json=as_json)
    else:
        from lakehouse.local.demo_screen import show_demo

        show_demo(data, as_json=as_json)


@app.command()
def invoke(
    function: Annotated[str, typer.Argument(help="Function, e.g. ingest.")],
    event: Annotated[Path, typer.Argument(help="JSON file of the event; see the folder events/.")],
    data: Data = DEFAULT,
) -> None:
    """Call one function with an event, as its trigger would, and print its answer as JSON."""
    from lakehouse.local.runtime.sandbox import Invoker
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
