"""Segments: which there are, whether they are right, a new one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, settings_of, show_progress

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.sources.review import Finding

segments = typer.Typer(no_args_is_help=True, help="Who belongs to which segment, and why.")
app.add_typer(segments, name="segments")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A segment, such as high_value.")]


@segments.command("list")
def list_segments(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """List the segments: how large each is, when that was computed, and what is wrong with it."""
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages.segment_listing import listed

        found = listed(settings)
    if as_json:
        print(json.dumps({"segments": found}, ensure_ascii=False))
        return
    from lakehouse.console.segments import show_list

    show_list(found)


@segments.command("check")
def check(data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Check all segments before they run: files, SQL, columns, segments that others and syncs name.

    Where the data folder holds a lake each is run over it, too, and nothing is written: guard rails, and whether it
    ends in time. Ends with 1 where one is wrong.
    """
    from lakehouse.console.definitions import findings_as_json, show_findings
    from lakehouse.stages.check_segments import check_segments

    with show_progress("checking", quiet=as_json) as report:
        number, found = check_segments(settings_of(data), lambda name: report(f"checking {name}"))
        if not found:
            report("running them")
            found += _run_over_lake(data)
    if as_json:
        print(json.dumps(findings_as_json(number, found), ensure_ascii=False))
    else:
        show_findings(number, found)
    if found:
        raise typer.Exit(1)


@segments.command("new", epilog="Example: lakehouse segments new quiet_regulars")
def new(name: Name, data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Write a segment to begin with into the data folder's definitions; it counts at once, and no sync sends it."""
    from lakehouse.segments.new_segment import new_segment

    file = str(new_segment(settings_of(data).definitions or data / "definitions", name))
    print(json.dumps({"segment": name, "file": file}) if as_json else file)


def _run_over_lake(data: Path) -> list[Finding]:
    """Return what is wrong with segments over the lake of the environment, else of the data folder, if there is one."""
    from lakehouse.local.attachment import attach
    from lakehouse.local.session import session
    from lakehouse.settings import current, names_catalog
    from lakehouse.stages.check_segments import check_over_lake

    if names_catalog():
        return check_over_lake(current())
    if attach(data) is None and not (data / "store").is_dir():
        return []
    with session(data, "store") as settings:
        return check_over_lake(settings)
