"""What a sync sends to its CRM: see it before it is sent, and go on where a brake has stopped it."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from lakehouse.outbound.preview import Preview


@app.command(
    epilog="Examples: lakehouse publish hubspot_segments --dry-run · lakehouse publish hubspot_segments --accept"
)
def publish(
    sync: Annotated[str, typer.Argument(metavar="SYNC", help="A sync, such as hubspot_segments.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent now, and why the rest would not.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Go on with what a brake has stopped: it is meant.")
    ] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what a sync would send to its CRM, or let it go on where a brake has stopped it.

    What there is to send is sent by the stack itself, as soon as its inputs change.
    """
    if dry_run == accept:
        raise Terminal("say --dry-run or --accept: what there is to send is sent by the stack itself")
    from lakehouse.local.session import session
    from lakehouse.stages import publish as stage

    with session(data, "store" if dry_run else "all") as settings:
        if accept:
            accepted = stage.accept(settings, sync, getpass.getuser())
            said = asdict(accepted) | {"sync": sync}
            text = f"{sync} goes on with {accepted.rows:,} rows ({accepted.kind.replace('_', ' ')})"
            print(json.dumps(said) if as_json else text)
            return
        found = stage.dry_run(settings, sync)
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False))
    else:
        _show(found)


def _show(found: Preview) -> None:
    from lakehouse.console.terminal import grid, out, until_text

    rows = [
        ("selected", found.selected),
        ("would be written", found.to_send),
        ("would be taken off", found.to_remove),
        ("unchanged", found.unchanged),
        *(
            (f"not written: {reason.replace('_', ' ')}{until_text(found.until.get(reason))}", count)
            for reason, count in found.withheld.items()
        ),
        ("held by the CRM now", found.held),
        ("chunks on their way", found.in_flight),
    ]
    out.print(grid(f"What {found.sync} would send now", ("what", "customers"), rows))
    if found.not_asked:
        out.print(
            f"Of {found.not_asked:,} rows the ledger of contacts was not asked; it is when they are sent."
        )
    if found.properties:
        out.print(f"Properties that would be made in the CRM: {', '.join(found.properties)}.")
    for lane, samples in found.samples.items():
        if samples:
            shown = [
                (
                    row["customer"],
                    row["id"],
                    ", ".join(f"{name}={value}" for name, value in row["properties"].items()),
                )
                for row in samples
            ]
            out.print(grid(f"Some {lane}, names masked", ("customer", "id in the CRM", "properties"), shown))
    if found.stopped:
        out.print(f"It would be stopped: {found.stopped}", style="red", markup=False, soft_wrap=True)
