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
        from lakehouse.stages import analyst_sql

        con = analyst_sql.connect(settings)
        try:
            answer = analyst_sql.ask(con, text)
            columns = [column[0] for column in answer.description or []]
            if as_json:
                from lakehouse.console.query_json import as_json as pieces

                sys.stdout.writelines(pieces(columns, iter(answer.fetchone, None)))
            else:
                from lakehouse.console.terminal import show_rows

                rows = answer.fetchmany(ROWS + 1)
                show_rows(columns, rows[:ROWS], more=len(rows) > ROWS)
        finally:
            con.close()


@app.command()
def maintain(
    data: Data = DEFAULT,
    table: Annotated[str | None, typer.Option("--table", help="Only this table.", metavar="NAME")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Keep the tables quick: rewrite small files, merge manifests, expire snapshots, remove orphaned files.

    Raw files go, too, once they are loaded and older than their source says (`raw_days`), unless `--table` is given.
    Ends with 1 when a table failed; the others are maintained all the same.
    """
    from lakehouse.local.session import session

    with session(data, "store") as settings, progress(quiet=as_json) as bar:
        from lakehouse.stages.expire_raw import expire_raw_files
        from lakehouse.stages.maintain import maintain as run

        task = bar.add_task("looking at the tables", total=None)
        reports = run(
            settings,
            only=table,
            dry_run=dry_run,
            progress=lambda step, done=0, total=0: bar.update(
                task, description=step, completed=done, total=total or None
            ),
        )
        raw = expire_raw_files(settings, dry_run=dry_run) if table is None else {}
    if as_json:
        print(json.dumps(reports | ({"raw files": raw} if raw else {})))
    else:
        from lakehouse.console.maintenance import show_maintenance, show_raw_files

        show_maintenance(reports, dry_run=dry_run)
        show_raw_files(raw, dry_run=dry_run)
    if failed := [f"{name}: {report['failed']}" for name, report in reports.items() if "failed" in report]:
        raise Terminal("; ".join(failed))
