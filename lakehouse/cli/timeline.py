"""One customer: timeline."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from lakehouse.cli.app import CUSTOMER, DEFAULT, AsJson, Data, app


@app.command(epilog="Example: lakehouse timeline ann@example.org")
def timeline(
    who: Annotated[str, typer.Argument(metavar="WHO", help=CUSTOMER)],
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what happened with a customer, in all systems, by time: visits, orders, deals, calls and more."""
    from lakehouse.console.query_files import columns_of, rows_of
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages import analyst_sql
        from lakehouse.stages.customer_timeline import ask_timeline
        from lakehouse.stages.explain_identity import find_customer

        customer = find_customer(settings, who)
        con = analyst_sql.connect(settings)
        try:
            answer = ask_timeline(con, customer)
            columns = columns_of(answer)
            if as_json:
                from lakehouse.console.query_json import as_json as json_lines

                sys.stdout.writelines(json_lines(columns, rows_of(answer)))
            else:
                from lakehouse.console.terminal import grid, out

                rows = [[_minute(moment), *cells] for moment, *cells in answer.fetchall()]
                out.print(grid("", ("at (UTC)", *columns[1:]), rows, optional=("id", "currency")))
        finally:
            con.close()


def _minute(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y-%m-%d\u00a0%H:%M}" if moment else None
