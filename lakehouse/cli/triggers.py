"""Triggers: which rules there are, and what one would do now."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app

triggers = typer.Typer(
    no_args_is_help=True, help="Whom to do something for, and why: abandoned carts, birthdays, …"
)
app.add_typer(triggers, name="triggers")


@triggers.command("list")
def list_triggers(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """List the rules, and how many of their rows in marts.triggers stand now. Ends with 1 where a rule is wrong."""
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.models.triggers import definition
        from lakehouse.stages.fire_triggers import listed

        rules = listed(settings)
        wrong = definition.load(settings.definitions).wrong
    if as_json:
        print(json.dumps({"triggers": rules, "wrong": dict(wrong)}, ensure_ascii=False))
    else:
        from lakehouse.console.terminal import complain, grid, out

        rows = [
            (
                each["name"],
                each["title"],
                str(each["standing"]),
                str(each["rows"]),
                " ".join(each["doc"].split()),
            )
            for each in rules
        ]
        out.print(grid("Triggers", ("trigger", "title", "stand", "rows", "rule"), rows, optional=("rule",)))
        for reason in wrong.values():
            complain(reason)
    if wrong:
        raise typer.Exit(1)


@triggers.command("preview", epilog="Example: lakehouse triggers preview abandoned_cart")
def preview(
    name: Annotated[str, typer.Argument(metavar="TRIGGER", help="Such as abandoned_cart.")],
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show the reasons that a rule gives now, and what would become of each; nothing is written."""
    from lakehouse.console.query_files import columns_of, rows_of
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages.fire_triggers import preview as ask

        with closing(ask(settings, name)) as answer:
            columns = columns_of(answer)
            if as_json:
                from lakehouse.console.query_json import as_json as json_lines

                sys.stdout.writelines(json_lines(columns, rows_of(answer)))
            else:
                from lakehouse.console.terminal import show_rows

                show_rows(columns, answer.fetchall(), more=False)
