"""One customer: timeline."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app


@app.command()
def timeline(
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="Customer id, such as c_8e422fd2a8b2b1f7.")
    ],
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what happened with a customer, in all systems, by time: visits, orders, deals, calls and more."""
    from lakehouse.console.query_files import columns_of, rows_of
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages import analyst_sql
        from lakehouse.stages.customer_timeline import ask_timeline

        con = analyst_sql.connect(settings)
        try:
            answer = ask_timeline(con, customer)
            columns = columns_of(answer)
            if as_json:
                from lakehouse.console.query_json import as_json as json_lines

                sys.stdout.writelines(json_lines(columns, rows_of(answer)))
            else:
                from lakehouse.console.terminal import show_rows

                show_rows(columns, answer.fetchall(), more=False)
        finally:
            con.close()
