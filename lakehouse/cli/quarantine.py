"""What could not be loaded: quarantine list, show, replay, dismiss."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, app, show_progress
from lakehouse.cli.function_log import logged
from lakehouse.console.policy import TerminalPolicy
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from lakehouse.ingest.quarantine.open_rows import QuarantineFilter

quarantine = typer.Typer(
    no_args_is_help=True, help="Rows and files that could not be loaded: see them, and try them again."
)
app.add_typer(quarantine, name="quarantine")

Source = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="SOURCE[/ENTITY]", help="Only files of this source, or source and entity."
    ),
]
Code = Annotated[str | None, typer.Option("--code", help="Only files with a row of this code.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Only what was set aside since then (ISO 8601, UTC)."),
]


@quarantine.command("list")
def list_(
    source: Source = None,
    code: Code = None,
    since: Since = None,
    all_: Annotated[bool, typer.Option("--all", help="Also what was marked as dealt with.")] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what is in quarantine now, by source and code, each with an example."""
    from lakehouse.local.session import session

    criteria = replace(_criteria(source, code, since), dismissed=all_)
    with session(data, "store") as settings, show_progress("looking into quarantine", quiet=as_json):
        from lakehouse.ingest.quarantine.open_rows import group_rows

        groups = group_rows(settings, criteria)
    if as_json:
        from lakehouse.console.quarantine import group_as_json

        print(json.dumps([group_as_json(group) for group in groups]))
    else:
        from lakehouse.console.quarantine import show_groups

        show_groups(groups, data)


@quarantine.command()
def show(
    file_id: Annotated[str, typer.Argument(metavar="FILE_ID", help="Id of a raw file, or how it begins.")],
    row: Annotated[int | None, typer.Option("--row", help="Only this row of the file.")] = None,
    original: Annotated[
        bool, typer.Option("--original", help="Show the rows as they came; they may hold personal data.")
    ] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what of a file is in quarantine now: row, code, reason. The row as it came is hidden unless asked for."""
    from lakehouse.local.session import session

    with session(data, "store") as settings:
        from lakehouse.console.quarantine import rows_as_json, show_rows
        from lakehouse.stages.replay import open_bad_rows

        record, rows = open_bad_rows(settings, file_id)
        wanted = (bad for bad in rows if row is None or bad["row"] == row)
        if as_json:
            sys.stdout.writelines(rows_as_json(record, wanted, original=original))
        else:
            show_rows(record, wanted, limit=TerminalPolicy.rows_shown, original=original)


@quarantine.command()
def replay(  # noqa: PLR0913, PLR0917 - its options
    file_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE_ID]…", help="Ids of raw files, or how they begin; all when left out."),
    ] = None,
    source: Source = None,
    code: Code = None,
    since: Since = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be tried again, and load nothing.")
    ] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Load the rows in quarantine that are good by now, each once: after a definition was mended.

    Of a chosen file all rows in quarantine are tried, but those marked as dealt with: these of a file that is named.
    Ends with 1 when a file is to be tried again later.
    """
    from lakehouse.local.session import session

    criteria = _criteria(source, code, since, *(file_ids or ()))
    with (
        session(data, "all") as settings,
        logged(data),
        show_progress("trying again", quiet=as_json) as report,
    ):
        from lakehouse.stages.replay import replay_quarantine

        tally = replay_quarantine(settings, criteria, dry_run=dry_run, progress=report)
    if as_json:
        print(json.dumps(tally.as_json()))
    else:
        from lakehouse.console.quarantine import show_tally

        show_tally(tally, dry_run=dry_run)
    if tally.failed:
        raise Terminal(
            f"{tally.failed} files could not be tried; see the log, mend the cause, and replay again"
        )


@quarantine.command()
def dismiss(  # noqa: PLR0913, PLR0917 - its options
    file_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE_ID]…", help="Ids of raw files, or how they begin."),
    ] = None,
    why: Annotated[
        str, typer.Option("--why", help="Why nothing is to be done any more, for the audit log.")
    ] = "",
    by: Annotated[str, typer.Option("--by", help="Who says so; you, when left out.")] = "",
    row: Annotated[int | None, typer.Option("--row", help="Only this row of the file.")] = None,
    source: Source = None,
    code: Code = None,
    since: Since = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how much it would be, and mark nothing.")
    ] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Mark what is in quarantine as dealt with, such as rows that came again in a corrected file.

    It is listed no more unless asked for with --all, and not tried again unless its file is named; the books still
    count it. Who, when and why stands in ops.audit_log once the books have copied it.
    """
    import getpass

    from lakehouse.local.session import session

    if not (file_ids or source or code or since):
        raise Terminal(
            "name files, or choose by --source, --code or --since; `lakehouse quarantine list` shows them"
        )
    if row is not None and len(file_ids or ()) != 1:
        raise Terminal("--row is of one file: name it")
    if not why.strip():
        raise Terminal("say with --why what became of it, such as --why 'came again as orders-2.csv'")
    criteria = _criteria(source, code, since, *(file_ids or ()))
    with session(data, "store") as settings, show_progress("marking", quiet=as_json):
        from lakehouse.ingest.batch import utc_now
        from lakehouse.stages.dismiss import Reason, dismiss_quarantine

        reason = Reason(by or getpass.getuser(), why.strip())
        tally = dismiss_quarantine(settings, criteria, reason, utc_now, row=row, dry_run=dry_run)
    if as_json:
        print(json.dumps(tally.as_json()))
    else:
        from lakehouse.console.quarantine import show_dismissed

        show_dismissed(tally, dry_run=dry_run)


def _criteria(source: str | None, code: str | None, since: str | None, *file_ids: str) -> QuarantineFilter:
    from lakehouse.ingest.quarantine.open_rows import QuarantineFilter

    moment = None
    if since is not None:
        try:
            moment = datetime.fromisoformat(since)
        except ValueError:
            raise Terminal(f"--since {since}: not a time in ISO 8601, like 2026-11-21T09:00:00Z") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return QuarantineFilter(source, code, moment, file_ids)
