"""The tables: status, sql, maintain."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lakehouse.cli.app import DEFAULT, ROWS, AsJson, Data, app, progress
from lakehouse.errors import Terminal


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
def maintain(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Expire snapshots that nobody needs any more, with their files."""
    from lakehouse.local.session import session

    with session(data, "store") as settings, progress(quiet=as_json) as bar:
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
