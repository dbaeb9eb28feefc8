"""One customer's row: explain."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli.app import CUSTOMER, DEFAULT, AsJson, Data, app
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from lakehouse.stages.explain_row import Explained


@app.command(epilog="Example: lakehouse explain c_8e422fd2a8b2b1f7 marts.churn_risk --day 2026-03-01")
def explain(
    who: Annotated[str, typer.Argument(metavar="WHO", help=CUSTOMER)],
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Such as marts.churn_risk.")],
    day: Annotated[
        str, typer.Option("--day", metavar="DAY", help="As it was at the end of this day; now, if left out.")
    ] = "",
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show why a customer's row is what it is: model, snapshots, time, reasons, and the rows that it comes from."""
    from lakehouse.local.session import session

    asked = _day(day) if day else None
    with session(data, "store") as settings:
        from lakehouse.stages.explain_identity import find_customer
        from lakehouse.stages.explain_row import explain as ask

        found = ask(settings, find_customer(settings, who), table, asked)
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False, default=str))
    else:
        _show(found)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Terminal(f"--day {text}: say a day as 2026-03-01") from None


def _show(found: Explained) -> None:
    from lakehouse.console.terminal import grid, out, plain, show_rows

    out.print(f"{found.table} of {found.customer}, snapshot {found.snapshot} of {found.snapshot_at:%Y-%m-%d %H:%M}",
              markup=False, soft_wrap=True)  # fmt: skip
    for row in found.rows:
        cells = [(name, plain(_text(value))) for name, value in row.items() if name != "inputs"]
        out.print(grid("", ("column", "value"), cells))
    noted = [f"{name} {value}" for name, value in found.versions.items()]
    out.print(
        f"computed {found.computed_at:%Y-%m-%d %H:%M:%S %Z}; {'; '.join(noted)}", markup=False, soft_wrap=True
    )
    lines = [
        (each.table, each.head, _text(each.at and f"{each.at:%Y-%m-%d %H:%M}"), each.standing,
         str(each.count) if each.standing == "kept" else "")
        for each in found.read
    ]  # fmt: skip
    out.print(grid("Computed from", ("table", "snapshot", "of", "stands", "rows"), lines))
    for each in found.read:
        if each.rows:
            out.print(f"{each.table}: {len(each.rows)} of {each.count} rows", markup=False)
            show_rows(list(each.rows[0]), [tuple(row.values()) for row in each.rows], more=False)
    out.print(f"made of: {', '.join(found.made_of)}", markup=False, soft_wrap=True)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
