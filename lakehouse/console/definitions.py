"""Source definitions for people and machines: what is suggested, what is wrong, what adding one does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from lakehouse.command_line import DEFAULT_DATA, command_line
from lakehouse.console.terminal import counted, grid, out, plain

if TYPE_CHECKING:
    from lakehouse.sources.review import Finding
    from lakehouse.sources.suggest.draft_columns import DraftColumn
    from lakehouse.sources.suggest.file_settings import Draft
    from lakehouse.stages.add_source import Done, Plan
    from lakehouse.stages.customers_found import CustomersFound


def draft_as_json(draft: Draft, text: str) -> dict[str, Any]:
    """Return a draft under the names that `sources suggest --json` uses; `yaml` is the definition's text."""
    return {
        "source": draft.source,
        "entity": draft.entity,
        "core_entity": draft.choice.entity,
        "scores": dict(draft.choice.scores),
        "sure": draft.choice.sure,
        "key": draft.key.value.split(", ") if draft.key.value else [],
        "time_zone": draft.time_zone.value,
        "columns": [_draft_column_as_json(column) for column in draft.columns],
        "notes": list(draft.notes),
        "yaml": text,
    }


def _draft_column_as_json(column: DraftColumn) -> dict[str, Any]:
    return {
        "header": column.header,
        "name": column.name,
        "type": column.type,
        "formats": list(column.formats),
        "pii": column.pii,
        "core": column.core or None,
        "confidence": column.confidence,
        "mapped": column.is_mapped,
        "why": column.why,
        "notes": list(column.notes),
    }


def show_draft(draft: Draft, path: str) -> None:
    """Print what became of each column; the YAML itself is in the file at `path`."""
    choice = draft.choice
    scores = ", ".join(f"{name} {score:.2f}" for name, score in choice.scores.items())
    out.print(Text(f"It seems to be {choice.entity} ({scores})", "bold"), soft_wrap=True)
    if not choice.sure:
        out.print("The next is as likely: `--as ENTITY` says which it is.")
    rows = [_draft_row(column) for column in draft.columns]
    out.print(grid("", ("column", "type", f"core.{choice.entity}", "confidence", "why"), rows))
    out.print(
        f"{_confidence_counts(draft)}. {path} holds the definition: read it through, then "
        "`lakehouse sources check` it.",
        soft_wrap=True,
    )


def _draft_row(column: DraftColumn) -> list[str | None]:
    """Return a column of a draft as a row of the grid; what may be a column of core has a question mark."""
    formats = f" ({', '.join(column.formats)})" if column.formats else ""
    core = column.core if column.is_mapped else f"{column.core}?"
    reasons = [reason for reason in (column.why, *column.notes) if reason]
    return [
        plain(column.header),
        f"{column.type}{formats}",
        core if column.core else None,
        column.confidence,
        plain("; ".join(reasons)) or None,
    ]


def _confidence_counts(draft: Draft) -> str:
    """Return how many columns are suggested with which confidence, in words."""
    counts: Counter[str] = Counter(column.confidence or "unmapped" for column in draft.columns)
    names = [name for name in ("high", "medium", "low", "unmapped") if counts[name]]
    return ", ".join(f"{counts[name]} {name}" for name in names)


def findings_as_json(
    number: int, findings: Sequence[Finding], customers_found: Sequence[CustomersFound] = ()
) -> dict[str, Any]:
    """Return findings, and what the lake holds, under the names that `sources check --json` uses."""
    counts = Counter(finding.level for finding in findings)
    return {
        "files": number,
        "errors": counts["error"],
        "warnings": counts["warning"],
        "findings": [asdict(finding) for finding in findings],
        "customers_found": [asdict(links) for links in customers_found],
    }


def show_findings(
    number: int,
    findings: Sequence[Finding],
    customers_found: Sequence[CustomersFound] = (),
    untold: Iterable[Finding] = (),
) -> None:
    """Print how many rows of the lake found a customer, then findings, errors first, and how many there are.

    Those of `findings` that are `untold` are counted only.
    """
    left_out = list(untold)
    findings = [finding for finding in findings if finding not in left_out]
    for links in customers_found:
        out.print(f"{links.source}: {links.describe()}", markup=False, soft_wrap=True)
    for finding in sorted(findings, key=lambda finding: finding.level):
        style = "bold red" if finding.level == "error" else "yellow"
        text = plain(f"{finding.file}: {_describe_finding(finding)}")
        out.print(Text.assemble((f"{finding.level:<8}", style), text), soft_wrap=True)
    counts = Counter(finding.level for finding in findings)
    files = counted(number, "definition")
    out.print(f"{files}: {counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}")
    if left_out:
        out.print(
            f"{counted(len(left_out), 'warning')} of definitions that ship: `--json` shows them",
            soft_wrap=True,
        )


def _describe_finding(finding: Finding) -> str:
    """Return field, message and line of a finding."""
    return f"{finding.field}: {finding.message}" + (f" (line {finding.line})" if finding.line else "")


def show_plan(found: Plan) -> None:
    """Print what adding a definition will do."""
    what = {
        "new": "is new",
        "same": "stands there already",
        "changed": "takes the place of the one before",
        "instead of the shipped one": "takes the place of the one that is shipped",
    }[found.state]
    lines = [f"{found.source_name} {what}: {found.target}"]
    if found.state != "same" and found.columns:
        lines.append(f"columns that are new: {', '.join(found.columns)}")
    if found.waiting:
        lines.append(
            f"{counted(found.waiting, 'file')} that nobody had defined, in quarantine so far: loaded with this"
        )
    if found.refill.get("rows"):
        moved = ", ".join(f"{count:,} {name}" for name, count in found.refill["moved"].items() if count)
        lines.append(f"{found.refill['rows']:,} older rows get values that they keep in `extra`: {moved}")
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
    for finding in found.findings:
        _show_warning(finding)


def _show_warning(finding: Finding) -> None:
    out.print(Text.assemble(("warning ", "yellow"), plain(_describe_finding(finding))), soft_wrap=True)


def _customers_found(done: Done, data: Path) -> Iterator[str]:
    """Yield how many rows found a customer, and how to ask again where identities do not know all of them yet."""
    yield from (links.describe() for links in done.customers_found)
    if any(links.resolved != "current" for links in done.customers_found):
        yield f"`{command_line('sources check --all', data)}` counts again, once core is computed"


def show_done(found: Plan, done: Done, *, lake: bool, running: bool, data: Path = DEFAULT_DATA) -> None:
    """Print what adding a definition did, and what is left to do; `data` is the folder that the hints name."""
    up = command_line("up", data)
    lines = ["written" if done.written else "nothing to write"]
    if done.replay:
        tally = done.replay
        lines.append(
            f"{counted(tally['files'], 'file')} that waited: {counted(tally['loaded'], 'row')} loaded, "
            f"{tally['still_bad']:,} set aside"
        )
        if left := tally["gone"] + tally["disagrees"] + tally["failed"]:
            quarantine = command_line("quarantine list", data)
            lines.append(f"{left:,} of the files could not be loaded: `{quarantine}` says which")
    if done.refill.get("rows"):
        lines.append(f"{done.refill['rows']:,} older rows in {done.refill['files']:,} data files refilled")
    lines += _customers_found(done, data)
    if found.set_aside and found.state != "same":
        replay = command_line(f"quarantine replay --source {found.source_name}", data)
        lines.append(
            f"in quarantine for other reasons: {counted(found.set_aside, 'row')} of it; `{replay}` tries again"
        )
    if not lake:
        put = command_line(f"put {found.source_name} FILE", data)
        lines.append(f"`{put}` lands files, `{up}` loads them")
    elif not running:
        lines.append(f"`{up}` loads what was landed meanwhile, and computes core anew")
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
    for warning in done.warnings:
        _show_warning(warning)
