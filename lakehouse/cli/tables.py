"""The tables: status, sql, maintain."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, show_progress
from lakehouse.console.policy import TerminalPolicy
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    import duckdb

    from lakehouse.console.query_files import Format


@app.command()
def status(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Show what was received and what became of it, the tables, and what was sent to the CRM.

    Ends with 1 when the books do not balance, and when the object store takes no writes.
    """
    from lakehouse.landing.probe import try_writes
    from lakehouse.local.services.store_watch import disk_room, store_trouble
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages.status import status as look

        state = look(settings)
        trouble = store_trouble(
            data / "store", lambda: try_writes(settings.landing_bucket, settings.ops_bucket)
        )
        state["store"] = {"takes_writes": not trouble, "free_bytes": disk_room(data).free, "trouble": trouble}
    if as_json:
        print(json.dumps(state))
    else:
        from lakehouse.console.terminal import show_status

        show_status(state, data)
    books = {"raw files": state["ingest"], **state["deliveries"]}
    if wrong := [name for name, book in books.items() if not book["balanced"]]:
        raise Terminal(
            f"the books of {', '.join(wrong)} do not balance: rows are missing or doubled; see docs/runbook.md"
        )
    if trouble:
        raise Terminal(trouble)


@app.command(
    epilog='Examples: lakehouse sql "show all tables" · lakehouse sql "from marts.rfm" -o rfm.xlsx · '
    "lakehouse sql --format csv < query.sql > rows.csv"
)
def sql(
    query: Annotated[
        str | None, typer.Argument(help="One SELECT in DuckDB's SQL; read from standard input when left out.")
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format", help="table, csv, json, parquet or xlsx; what FILE ends with when left out."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write all rows there.")
    ] = None,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Ask the tables: raw.*, core.*, marts.*, ops.*. It only reads; `show all tables` lists what there is.

    A terminal shows the first 100 rows, of `show all tables` all; every other format has all of them.
    """
    from lakehouse.console.query_files import format_of
    from lakehouse.local.session import session

    if as_json and file_format not in (None, "json"):
        raise Terminal(f"--json and --format {file_format} contradict each other: give one")
    chosen = format_of(output, "json" if as_json else file_format)
    if query is None and sys.stdin.isatty():
        print("type one SELECT, then Ctrl-D", file=sys.stderr)
    text = query if query is not None else sys.stdin.read()
    with session(data, "store") as settings:
        from lakehouse.stages import analyst_sql
        from lakehouse.stages.table_listing import is_listing, list_tables, listing_sql

        most_rows = TerminalPolicy.rows_shown
        if is_listing(text):
            tables = list_tables(settings)
            text, most_rows = listing_sql(tables), len(tables)
        with closing(analyst_sql.answer(settings, text)) as answer:
            print_answer(answer, chosen, output, most_rows)


def print_answer(
    answer: duckdb.DuckDBPyConnection,
    chosen: Format,
    output: Path | None,
    most_rows: int = TerminalPolicy.rows_shown,
) -> None:
    """Print the rows of a query, or write them to a file; a terminal shows `most_rows` of them."""
    from lakehouse.console import query_files

    if output is not None and chosen != "table":
        count = query_files.write_query(answer, output, chosen)
        from lakehouse.console.terminal import counted

        print(f"{counted(count, 'row')} in {output}", file=sys.stderr)
    elif chosen == "json":
        from lakehouse.console.query_json import as_json

        sys.stdout.writelines(as_json(query_files.columns_of(answer), query_files.rows_of(answer)))
    elif chosen == "csv":
        query_files.csv_rows(answer, sys.stdout)
    else:
        _show_table(answer, output, most_rows)


def _show_table(answer: duckdb.DuckDBPyConnection, output: Path | None, most_rows: int) -> None:
    from lakehouse.console.query_files import columns_of
    from lakehouse.console.terminal import show_rows

    if output is not None:
        raise Terminal("a table is for a terminal: name FILE.csv, .json, .parquet or .xlsx")
    columns = columns_of(answer)
    rows = answer.fetchmany(most_rows + 1)
    show_rows(columns, rows[:most_rows], more=len(rows) > most_rows)


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

    with (
        session(data, "store") as settings,
        show_progress("looking at the tables", quiet=as_json) as report,
    ):
        from lakehouse.stages.expire_raw import expire_raw_files
        from lakehouse.stages.maintain import maintain as run

        reports = run(settings, only=table, dry_run=dry_run, progress=report)
        raw = expire_raw_files(settings, dry_run=dry_run) if table is None else {}
    if as_json:
        print(json.dumps(reports | ({"raw files": raw} if raw else {})))
    else:
        from lakehouse.console.maintenance import show_maintenance, show_raw_files

        show_maintenance(reports, dry_run=dry_run)
        show_raw_files(raw, dry_run=dry_run)
    failed = [
        f"{name}: {one_report['failed']}" for name, one_report in reports.items() if "failed" in one_report
    ]
    if failed:
        raise Terminal("; ".join(failed))
