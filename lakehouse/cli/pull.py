"""What changed in a CRM comes in."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app
from lakehouse.command_line import command_line


@app.command(epilog="Examples: lakehouse pull hubspot · lakehouse pull salesforce accounts")
def pull(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="hubspot or salesforce.")],
    entity: Annotated[
        str, typer.Argument(metavar="[ENTITY]", help="What of it, such as contacts, leads, accounts.")
    ] = "contacts",
    destination: Annotated[
        str, typer.Option(metavar="NAME", help="Which Salesforce organisation, where several are defined.")
    ] = "",
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Land what changed in a CRM since the last pull, archived and merged records with it.

    What breaks off goes on with the next pull. A running stack loads the files at once, another when it is next up.
    """
    from lakehouse.local.session import session
    from lakehouse.stages import pull as stage

    with session(data, "all") as settings:
        pulled = stage.pull(settings, system, entity, lambda: datetime.now(UTC), destination)
    if as_json:
        print(json.dumps(asdict(pulled)))
        return
    if not pulled.records:
        print(f"nothing changed in {pulled.source_key} since the last pull")
        return
    print(
        f"{pulled.records:,} changed records of {pulled.source_key} landed in {len(pulled.files)} files, through "
        f"{pulled.through}; `{command_line('up', data)}` loads them"
    )
