"""The dictionary of metrics: list them, ask one."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, settings_of
from lakehouse.cli.tables import print_answer

metrics = typer.Typer(no_args_is_help=True, help="Numbers with one meaning: revenue, orders, csat, …")
app.add_typer(metrics, name="metrics")


@metrics.command("list")
def list_metrics(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """List the metrics, the questions that they answer, and what each may be divided by."""
    from lakehouse.models import metric

    known = metric.load(settings_of(data).definitions)
    if as_json:
        listed = [each.model_dump() for each in known.defined.values()]
        print(json.dumps({"metrics": listed, "wrong": dict(known.wrong)}, ensure_ascii=False))
        return
    from lakehouse.console.terminal import complain, grid, out

    rows = [
        (each.name, each.question, each.unit, ", ".join(each.dimensions), each.owner)
        for each in known.defined.values()
    ]
    head = ("metric", "question", "unit", "dimensions", "owner")
    out.print(grid("Metrics", head, rows, optional=("owner", "unit", "dimensions")))
    for reason in known.wrong.values():
        complain(reason)


@metrics.command(
    "query",
    epilog="Examples: lakehouse metrics query revenue --by month,category · "
    "lakehouse metrics query orders --by channel --where \"month >= '2026-01-01'\"",
)
def query(  # noqa: PLR0913, PLR0917 - one parameter an option
    name: Annotated[str, typer.Argument(metavar="METRIC", help="Such as revenue.")],
    by: Annotated[
        str, typer.Option("--by", metavar="DIMENSION,…", help="What to divide by, such as month,category.")
    ] = "",
    where: Annotated[
        str, typer.Option("--where", metavar="SQL", help="A condition over the metric's dimensions.")
    ] = "",
    only_sql: Annotated[bool, typer.Option("--sql", help="Print the SELECT, and ask nothing.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write all rows there.")
    ] = None,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Ask for a metric: one number, or one for each value of the dimensions."""
    from lakehouse.console.query_files import format_of
    from lakehouse.stages.ask_metric import question

    dimensions = [each.strip() for each in by.split(",") if each.strip()]
    text = question(settings_of(data), name, dimensions, where)
    if only_sql:
        print(text)
        return
    chosen = format_of(output, "json" if as_json else None)
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages import analyst_sql

        with closing(analyst_sql.answer(settings, text)) as answer:
            print_answer(answer, chosen, output)
