"""Segments: which there are, whether they are right, who is in them and why, what was and what would be."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli.app import CUSTOMER, DEFAULT, AsJson, Data, app, settings_of, show_progress
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from lakehouse.sources.review import Finding

segments = typer.Typer(no_args_is_help=True, help="Who belongs to which segment, and why.")
app.add_typer(segments, name="segments")

Customer = Annotated[str, typer.Argument(metavar="WHO", help=CUSTOMER)]
Show = Annotated[int, typer.Option("--show", min=0, help="Customers, or runs, that are named, at most.")]
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


@segments.command(
    "new",
    epilog="Examples: lakehouse segments new quiet_regulars · lakehouse segments new quiet_regulars --form where",
)
def new(
    name: Name,
    form: Annotated[
        str,
        typer.Option(
            "--form", metavar="FORM", help="who: without SQL; where: an SQL condition; select: a SELECT."
        ),
    ] = "who",
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Write a segment to begin with into the data folder's definitions; it counts at once, and no sync sends it."""
    from lakehouse.segments.new_segment import new_segment

    file = str(new_segment(settings_of(data).definitions or data / "definitions", name, form))
    print(json.dumps({"segment": name, "file": file}) if as_json else file)


@segments.command(
    "preview",
    epilog="Examples: lakehouse segments preview sleeping_regulars · "
    "lakehouse segments preview quiet_regulars --set days=60",
)
def preview(
    name: Name,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the segment, for this look alone."),
    ] = None,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show who would be in a segment now: how many, how many of them lack consent, and some, names masked.

    Consent is that of the syncs that send the segment; where none does, that of all syncs.
    """
    from lakehouse.local.session import session

    set_to = dict(_assignment(each) for each in assignments or ())
    with session(data, "store") as settings:
        from lakehouse.stages.segment_questions import preview as ask

        found = ask(settings, name, set_to)
    if as_json:
        _print_json(asdict(found))
        return
    from lakehouse.console.segments import show_preview

    show_preview(found)


@segments.command("explain", epilog="Example: lakehouse segments explain high_value c_8e422fd2a8b2b1f7")
def explain(name: Name, who: Customer, data: Data = DEFAULT, as_json: AsJson = False) -> None:
    """Show why a customer is in a segment, or is not: each condition with its values, and the segments it names."""
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages.explain_identity import find_customer
        from lakehouse.stages.segment_questions import explain as ask

        found = ask(settings, name, find_customer(settings, who))
    if as_json:
        _print_json(asdict(found))
        return
    from lakehouse.console.segments import show_why

    show_why(found)


@segments.command(
    "diff",
    epilog="Examples: lakehouse segments diff high_value · "
    "lakehouse segments diff --definitions definitions --markdown",
)
def diff(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A segment, such as high_value; all if left out.")
    ] = None,
    definitions: Annotated[
        Path | None,
        typer.Option("--definitions", metavar="DIR", help="What this folder of definitions would change."),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a pull request; it names nobody.")
    ] = False,
    show: Show = 5,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what the next run would change, or other definitions: who would enter, who would leave, and why.

    With --definitions both are asked of the marts as they are now, and it ends with 1 where one is wrong there.
    """
    from lakehouse.local.session import session

    if markdown and as_json:
        raise Terminal("--markdown and --json contradict each other: give one")
    folder = definitions.absolute() if definitions is not None else None
    with session(data, "store") as settings:
        from lakehouse.stages.segment_questions import diff as ask

        found = ask(settings, name, folder, show)
    if as_json:
        _print_json({"segments": [asdict(each) for each in found]})
    elif markdown:
        from lakehouse.console.segments_markdown import as_markdown

        print(as_markdown(found), end="")
    else:
        from lakehouse.console.segments import show_differences

        show_differences(found)
    if folder is not None and any(each.wrong for each in found):
        raise typer.Exit(1)


@segments.command(
    "history",
    epilog="Examples: lakehouse segments history high_value · "
    "lakehouse segments history high_value c_8e422fd2a8b2b1f7 --at 2026-05-03",
)
def history(
    name: Name,
    who: Annotated[str | None, typer.Argument(metavar="[WHO]", help=CUSTOMER)] = None,
    at: Annotated[
        str,
        typer.Option("--at", metavar="DATE", help="As it was at the end of this day, or at a time of it."),
    ] = "",
    show: Show = 20,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show the runs that changed a segment, when a customer was in it, who was at a time, and why somebody was then.

    Who was in it is known of any time since the first run. The values of then are known as long as the snapshots of
    the marts are kept; where they have expired, it says so.
    """
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.stages import segment_history as stage
        from lakehouse.stages.explain_identity import find_customer

        customer = find_customer(settings, who) if who else None
        moment = stage.moment_of(at, settings) if at else None
        past: list[Any]
        if moment is None:
            past = [*(stage.steps(settings, name, customer) if customer else stage.runs(settings, name))]
        elif customer:
            past = [stage.customer_at(settings, name, customer, moment)]
        else:
            past = [stage.at_moment(settings, name, moment, show)]
    if as_json:
        shown = [asdict(each) for each in past]
        _print_json(shown[0] if moment else {"segment": name, "customer": customer, "history": shown})
        return
    from lakehouse.console.segment_history import show_history

    show_history(name, customer, past, show)


@segments.command(
    "effect",
    epilog="Examples: lakehouse segments effect winback_mail · lakehouse segments effect winback_mail --days 30",
)
def effect(
    name: Name,
    days: Annotated[
        int | None,
        typer.Option(
            "--days", min=1, help="Days from entering the segment in which orders count; 14 if left out."
        ),
    ] = None,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show whether writing to a segment worked: what its members bought against its control group, with intervals.

    Those count whose days are over, whether they were reached or not. It needs `control_share` in the segment's file.
    """
    from lakehouse.local.session import session
    from lakehouse.segments.policy import EffectPolicy

    with session(data, "store") as settings:
        from lakehouse.stages.segment_effect import effect_of

        found = effect_of(settings, name, days or EffectPolicy.days)
    from lakehouse.console.segment_effect import as_json as to_json
    from lakehouse.console.segment_effect import show_effect

    if as_json:
        _print_json(to_json(found))
        return
    show_effect(found)


@segments.command(
    "export",
    epilog="Example: lakehouse segments export high_value -o high_value.xlsx --with name --with email --with revenue",
)
def export(
    name: Name,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="FILE.csv, FILE.xlsx or FILE.parquet.")
    ],
    further: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="COLUMN", help="A column of customer_360, rfm or customers, too."),
    ] = None,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Write all members of a segment to a file, and what it is and when it expires beside it, as FILE.json.

    In CSV, text that a spreadsheet would run as a formula gets a ' in front; FILE.json says by which rule. Who entered
    and who left stands in a file of each run, below exports/ in the ops bucket.
    """
    from lakehouse.console.query_files import format_of
    from lakehouse.local.session import session

    chosen = format_of(output, None)
    if chosen not in {"csv", "xlsx", "parquet"}:
        raise Terminal(f"{output}: a segment is written as CSV, xlsx or Parquet")
    with session(data, "store") as settings:
        from lakehouse.console.segment_files import write_members
        from lakehouse.stages.export_members import members_of

        with members_of(settings, name, further or ()) as members:
            written = write_members(name, members, output, chosen)
    if as_json:
        _print_json(written)
    else:
        from lakehouse.console.terminal import counted

        print(f"{counted(written['rows'], 'customer')} in {output}, to be used until {written['expires_on']}")


def _assignment(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise Terminal(f"--set {text}: say a name and a value, such as days=60")
    return name.strip(), value


def _print_json(content: dict[str, Any]) -> None:
    print(json.dumps(_finite(content), ensure_ascii=False, default=str))


def _finite(content: Any) -> Any:
    """Return what is to be JSON with numbers that JSON has no word for as text."""
    match content:
        case dict():
            return {name: _finite(value) for name, value in content.items()}
        case list() | tuple():
            return [_finite(value) for value in content]
        case float() if not isfinite(content):
            return str(content)
    return content


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
