"""Why somebody was written to: why."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lakehouse.stages.why_written import Delivery, Values, Why


SEGMENT_MEMBERS = "ops.segment_members"


@app.command(epilog="Example: lakehouse why ann@example.org --sync hubspot_segments")
def why(
    who: Annotated[
        str, typer.Argument(metavar="EMAIL|PHONE|CUSTOMER", help="An e-mail, a phone, or a customer id.")
    ],
    sync: Annotated[str, typer.Option("--sync", metavar="NAME", help="Only what this sync sent.")] = "",
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Answer "why did you write to me?": what was sent, from which values, which statement allowed it, how it ended."""
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages.why_written import why as ask

        found = ask(settings, who, sync)
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False, default=str))
    else:
        _show(found)


def _show(found: Why) -> None:
    from lakehouse.console.terminal import grid, out, plain

    if not found.deliveries:
        out.print(f"Nothing was sent or withheld for {found.who}.", markup=False)
    for each in found.deliveries:
        lines = [(name, plain(value)) for name, value in _lines(each, found.columns) if value]
        title = f"{each.outcome_at or each.planned_at}  {each.sync}: {_outcome(each)}"
        out.print(title, style="bold", markup=False, highlight=False, soft_wrap=True)
        out.print(grid("", ("what", "the record says"), lines))


def _outcome(found: Delivery) -> str:
    reason = f" ({found.reason})" if found.reason else ""
    what = {"upsert": "write", "remove": "take off"}.get(found.action, found.action)
    return f"{what}, {found.outcome.replace('_', ' ')}{reason}"


def _lines(found: Delivery, columns: Collection[str]) -> Iterator[tuple[str, str]]:
    yield "to", found.id if found.address == found.id else f"{found.id}, consent asked of {found.address}"
    yield "as customer", found.customer_id
    yield "for", " by ".join(filter(None, (found.purpose, found.channel)))
    yield "written", _fields(found.properties or {})
    for values in found.values:
        yield values.table, _values(values, columns)
    if found.action == "upsert" and found.consent_id:
        yield "allowed by", _fields(found.statement or {"consent_id": found.consent_id, "standing": "gone"})
    yield "withheld by", found.withheld_by
    yield "until", found.withheld_until
    yield "planned", f"run {found.run} at {found.planned_at}" if found.planned_at else f"run {found.run}"
    yield "claimed", ", ".join(found.claims)
    yield "answered", f"{found.outcome_at}, record {found.crm_id}" if found.crm_id else found.outcome_at
    yield "objects", ", ".join(found.objects)


def _values(found: Values, columns: Collection[str]) -> str:
    head = f"snapshot {found.snapshot or 'of then'}: "
    if found.standing != "kept":
        return head + found.standing
    if found.table == SEGMENT_MEMBERS:
        return head + (
            ", ".join(f"{row['segment']} since {row['entered_on']}" for row in found.rows) or "no segment"
        )
    rows = ({name: value for name, value in row.items() if name in columns} for row in found.rows)
    return head + ("; ".join(map(_fields, rows)) or "no row")


def _fields(row: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}={value}" for name, value in row.items() if value is not None and name != "customer_id"
    )
