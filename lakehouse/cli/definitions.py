"""Source definitions: suggest one for a file, check them, put one to work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.cli.app import DEFAULT, AsJson, Data, settings_of, show_progress
from lakehouse.cli.sources import sources
from lakehouse.errors import BadFile, Terminal

if TYPE_CHECKING:
    from lakehouse.ingest.profile.profile import ReadingHints
    from lakehouse.progress import Progress
    from lakehouse.settings import Settings
    from lakehouse.sources.review import Finding
    from lakehouse.sources.suggest.file_settings import Draft
    from lakehouse.stages.add_source import Plan
    from lakehouse.stages.check_references import ReferenceCount
    from lakehouse.stages.customers_found import CustomersFound

    _LakeFindings = tuple[list[ReferenceCount], list[CustomersFound], list[Finding]]


@sources.command(
    "suggest",
    epilog="Examples: lakehouse sources suggest crm/contacts.csv · lakehouse sources suggest 订单.xlsx --source shop "
    "--entity orders -o shop_orders.yaml · lakehouse sources suggest export.csv --as accounts",
)
def suggest(  # noqa: PLR0913, PLR0917 - its options
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any file that ingest reads, packed or not.")],
    source: Annotated[
        str, typer.Option("--source", metavar="NAME", help="What the source is called, e.g. shop.")
    ] = "",
    entity: Annotated[
        str, typer.Option("--entity", metavar="NAME", help="What the file holds there, e.g. orders.")
    ] = "",
    core_entity: Annotated[
        str, typer.Option("--as", metavar="ENTITY", help="Entity of core that it is; guessed where left out.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write it there, and tell of each column."),
    ] = None,
    as_json: AsJson = False,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows to judge by, at most.")] = 20_000,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Of text that is neither Unicode nor GB 18030.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="Of a workbook; without it the first that is visible.")
    ] = None,
) -> None:
    """Suggest a source definition for a file: types, formats, what is personal, and what its columns are in core.

    Each column is told with how sure that is and why. What is unsure stands in a comment; no value is shown.
    """
    from lakehouse.console.definitions import draft_as_json, show_draft
    from lakehouse.ingest.profile.profile import ReadingHints
    from lakehouse.sources.suggest.yaml_text import as_yaml
    from lakehouse.stages.suggest_source import check_entity

    check_entity(core_entity)
    if output is not None and output.exists():
        raise Terminal(f"{output} is there already: remove it, or name another file")
    names = {"source": source, "entity": entity, "core_entity": core_entity}
    try:
        draft = _drafted(file, ReadingHints(encoding, sheet), rows, names, quiet=as_json)
    except BadFile as error:
        if as_json:
            print(json.dumps({"file": str(file), "code": error.code, "error": error.reason}))
        raise
    text = as_yaml(draft)
    if output is not None:
        _write(output, text)
    if as_json:
        print(json.dumps(draft_as_json(draft, text), ensure_ascii=False))
    elif output is not None:
        show_draft(draft, str(output))
    else:
        print(text, end="")


def _drafted(file: Path, hints: ReadingHints, rows: int, names: dict[str, str], *, quiet: bool) -> Draft:
    from lakehouse.settings import current
    from lakehouse.stages import suggest_source as stage

    with show_progress("reading", quiet=quiet) as report:
        return stage.suggest(current(), file, hints, rows=rows, progress=report, **names)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise Terminal(f"{path} cannot be written: {error.strerror}") from error


@sources.command(
    "check",
    epilog="Examples: lakehouse sources check shop_orders.yaml · lakehouse sources check --all",
)
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE.yaml]…", help="Definitions; all when left out.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that are shipped or stand in your folder of definitions.")
    ] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Hold source definitions against the contracts: SQL that does not run, what core lacks, what is personal.

    With all of them: segments, too (see `lakehouse segments check`), and where the data folder holds a lake: how many
    ids of one source name a record of another, how many rows found a customer, and which ids seem to be two systems'.
    Ends with 1 when there are errors; warnings are for a person to weigh. Of definitions that ship they are counted
    only, but for --json and where the file is named.
    """
    from lakehouse.console.definitions import findings_as_json, show_findings
    from lakehouse.console.references import show_references
    from lakehouse.stages.check_segments import check_segments
    from lakehouse.stages.check_sources import check_all, check_files, shipped_warnings

    if files and everything:
        raise Terminal("name files, or --all, not both")
    settings = settings_of(data)
    with show_progress("checking", quiet=as_json) as report:

        def on_file(name: str) -> None:
            report(f"checking {name}")

        number, found = (
            (len(files), check_files(settings, files, on_file)) if files else check_all(settings, on_file)
        )
        references, links, collisions = ([], [], []) if files else _look_at_lake(data, report, found)
        found += [*(link.warning() for link in links if link.is_low), *collisions]
        segments, wrong_segments = (0, []) if files else check_segments(settings, on_file)
        number, found = number + segments, found + wrong_segments
    if as_json:
        counted = {"references": [count.as_json() for count in references]}
        print(json.dumps(findings_as_json(number, found, links) | counted, ensure_ascii=False))
    else:
        show_findings(number, found, links, shipped_warnings(settings, found, files))
        show_references(references)
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(1)


def _look_at_lake(data: Path, progress: Progress, found: list[Finding]) -> _LakeFindings:
    """Return how a lake's references, links to customers and ids stand; nothing for a data folder without a lake.

    The lake is that of the catalog in the environment, else of the data folder. It is not read by definitions that
    contradict each other: where `found` has errors.
    """
    if any(finding.level == "error" for finding in found):
        return [], [], []
    from lakehouse.local.attachment import attach
    from lakehouse.local.session import session
    from lakehouse.settings import current, names_catalog

    if names_catalog():
        return _count(current(), progress)
    if attach(data) is None and not (data / "store").is_dir():
        return [], [], []
    with session(data, "store") as settings:
        return _count(settings, progress)


def _count(settings: Settings, progress: Progress) -> _LakeFindings:
    from lakehouse.stages.check_references import check_references
    from lakehouse.stages.customers_found import count_customers_found
    from lakehouse.stages.id_collisions import find_collisions

    return check_references(settings, progress), count_customers_found(settings), find_collisions(settings)


@sources.command(
    "copy",
    epilog="Examples: lakehouse sources copy shopify shopify_eu -o second · lakehouse sources copy shop shop_eu "
    "--own user_id -o second",
)
def copy(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A source that is defined, e.g. shopify.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What the second is called, e.g. shopify_eu.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write to.")],
    own: Annotated[
        list[str] | None,
        typer.Option("--own", metavar="TYPE", help="Also ids of this type are others in the new system."),
    ] = None,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Write definitions for a second system of the same make, such as another shop: its ids are its own.

    What is the same person's everywhere, such as an e-mail or a user_id, stays shared. Look at them, then add them.
    """
    from lakehouse.stages.copy_source import copy_source

    copied = copy_source(settings_of(data), source, new, own or ())
    for name in copied.texts:
        if (output / name).exists():
            raise Terminal(f"{output / name} is there already: remove it, or name another folder")
    output.mkdir(parents=True, exist_ok=True)
    for name, text in copied.texts.items():
        _write(output / name, text)
    if as_json:
        print(
            json.dumps(
                {"files": [str(output / name) for name in copied.texts], "own_types": copied.own_types}
            )
        )
        return
    for name in copied.texts:
        print(f"lakehouse sources add {output / name}")
    print(
        f"ids of its own: {', '.join(copied.own_types) or 'none'}; all other types are shared with {source}"
    )


@sources.command(
    "add",
    epilog="Examples: lakehouse sources add shop_orders.yaml --dry-run · lakehouse sources add shop_orders.yaml",
)
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="A definition; see `sources suggest`.")],
    definitions: Annotated[
        Path | None,
        typer.Option(
            "--definitions", metavar="DIR", help="Folder of definitions; the stack's own where left out."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    data: Data = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Put a source definition to work: for files to come, those that waited for it, and older rows that lack a column.

    A stack that runs sees it at once. Again, it changes nothing.
    """
    from lakehouse.local.attachment import attach
    from lakehouse.stages.check_sources import text_of

    text = text_of(file)
    info = attach(data)
    here = settings_of(data)
    folder = definitions or (here.definitions if info is None else None)
    if info is None and not (data / "store").is_dir():  # nothing was landed there yet
        own = folder or data / "definitions"
        _add(here, text, file, own, data=data, lake=False, dry_run=dry_run, as_json=as_json)
        return
    from lakehouse.cli.function_log import logged
    from lakehouse.local.session import session

    with session(data, "store" if dry_run else "all") as settings, logged(data):
        read = settings.definitions
        if read is None:
            raise Terminal(f"the stack on {data} reads no folder of definitions: restart it, then add")
        lake = folder is None or folder.absolute() == read.absolute()
        running = info is not None and info.services == "all"
        _add(
            settings,
            text,
            file,
            folder or read,
            data=data,
            lake=lake,
            dry_run=dry_run,
            as_json=as_json,
            running=running,
        )


def _add(  # noqa: PLR0913 - what the command was told
    settings: Settings,
    text: str,
    file: Path,
    folder: Path,
    *,
    data: Path,
    lake: bool,
    dry_run: bool,
    as_json: bool,
    running: bool = False,
) -> None:
    from dataclasses import asdict

    from lakehouse.console.definitions import show_done, show_plan
    from lakehouse.stages.add_source import carry_out, plan

    with show_progress("looking", quiet=as_json) as report:
        found: Plan = plan(settings, text, file.name, folder.absolute(), lake=lake)
        if not as_json:
            show_plan(found)
        done = None if dry_run else carry_out(settings, found, lake=lake, progress=report)
    if as_json:
        print(
            json.dumps({"plan": found.as_json(), "done": asdict(done) if done else None}, ensure_ascii=False)
        )
    elif done is None:
        print("nothing was changed")
    else:
        show_done(found, done, lake=lake, running=running, data=data)
    if done is not None and done.replay.get("failed"):
        raise Terminal("files could not be tried; see the log, mend the cause, and add it again")
