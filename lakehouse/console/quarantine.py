"""What is in quarantine, for people in a terminal and for machines. A row as it came is shown only on demand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from lakehouse.command_line import DEFAULT_DATA, command_line
from lakehouse.console.terminal import counted, grid, out, plain
from lakehouse.ingest.reading.piece import PART_ROWS

if TYPE_CHECKING:
    from lakehouse.ingest.quarantine.open_rows import QuarantineGroup
    from lakehouse.stages.dismiss import DismissTally
    from lakehouse.stages.replay import Tally
    from lakehouse.tables.commit import FileRecord

_LEFT = {
    "gone": "the raw file is no longer there, so it cannot be read again",
    "undefined": "no source definition fits; see the folder `sources` of your definitions",
    "disagrees": "what is in quarantine is not what the file's commit counted; see the runbook",
}


def group_as_json(group: QuarantineGroup) -> dict[str, Any]:
    """Return a group under the names that `quarantine list --json` uses."""
    return {
        "source": group.source,
        "entity": group.entity,
        "code": group.code,
        "files": group.files,
        "rows": group.rows,
        "first": group.first.isoformat(),
        "last": group.last.isoformat(),
        "example": {
            "file_id": group.file_id,
            "key": group.key,
            "row": group.row,
            "reason": group.reason,
        },
    }


def show_groups(groups: Iterable[QuarantineGroup], data: Path = DEFAULT_DATA) -> None:
    """Print what is in quarantine by source and code; `data` is the folder that the hint names."""
    rows = [
        [
            f"{group.source}/{group.entity}" if group.source else "(no source)",
            group.code,
            group.files,
            group.rows,
            f"{group.first:%Y-%m-%d %H:%M}",
            f"{group.last:%Y-%m-%d %H:%M}",
            group.reason,
            plain(group.key.rpartition("/")[2]),
            group.file_id[:16],
        ]
        for group in groups
    ]
    if not rows:
        out.print("Nothing is in quarantine.")
        return
    names = ("source", "code", "files", "rows", "first (UTC)", "last (UTC)", "reason", "a file", "its id")
    out.print(grid("In quarantine", names, rows))
    show, replay = command_line("quarantine show FILE_ID", data), command_line("quarantine replay", data)
    dismiss = command_line("quarantine dismiss FILE_ID --why TEXT", data)
    out.print(
        f"`{show}` shows its rows, `{replay}` tries them again, `{dismiss}` says that they are dealt with.",
        markup=False,
        soft_wrap=True,
    )


def _hidden(bad: dict[str, Any], *, original: bool) -> dict[str, Any]:
    """Return a bad row as it may be shown; without its original, that one's length."""
    text = bad.get("original")
    shown = {name: bad.get(name) for name in ("row", "code", "reason", "quarantined_at")}
    shown["dismissed"] = bad.get("dismissed", False)
    return shown | ({"original": text} if original else {"original_characters": len(text or "")})


def rows_as_json(record: FileRecord, rows: Iterable[dict[str, Any]], *, original: bool) -> Iterator[str]:
    """Yield the text of a JSON object, piece by piece: which file, and its bad rows."""
    head = {"file_id": record.file_id, "bucket": record.bucket, "key": record.key, "version": record.version}
    yield f'{json.dumps(head | {"replay": record.replay})[:-1]}, "rows": ['
    for number, bad in enumerate(rows):
        yield (", " if number else "") + json.dumps(_hidden(bad, original=original), ensure_ascii=False)
    yield "]}\n"


def show_rows(record: FileRecord, rows: Iterable[dict[str, Any]], *, limit: int, original: bool) -> None:
    """Print the first `limit` bad rows of a file."""
    first = list(islice(rows, limit + 1))
    if not first:
        out.print("Nothing of it is in quarantine.")
        return
    name = "as it came" if original else "characters"
    lines = [
        [
            told_row(bad["row"]),
            bad["code"],
            f"{bad['reason']} (dealt with)" if bad.get("dismissed") else bad["reason"],
            bad.get("original") if original else len(bad.get("original") or ""),
        ]
        for bad in first[:limit]
    ]
    out.print(Text(f"{plain(record.key)} ({record.file_id[:16]})", "bold"))
    out.print(grid("", ("row", "code", "reason", name), lines))
    if len(first) > limit:
        out.print(f"… these are the first {limit} rows; `--json` prints all")
    if not original:
        out.print("`--original` shows the rows as they came; they may hold personal data.")


def told_row(row: int | None) -> int | str | None:
    """Return a row's number as it is shown: by part and row, where it is not of the first part of a file."""
    if row is None or 0 < row < PART_ROWS:
        return row
    part, row_in_part = divmod(row, PART_ROWS)
    return f"part {part + 1}, row {row_in_part:,}" if row_in_part else f"part {part + 1}"


def show_dismissed(tally: DismissTally, *, dry_run: bool) -> None:
    """Print how much was marked as dealt with, or would be."""
    would = "would be" if dry_run else "now"
    out.print(f"{counted(tally.rows, 'row')} of {counted(tally.files, 'file')} {would} marked as dealt with")


def show_tally(tally: Tally, *, dry_run: bool) -> None:
    """Print what a replay did, or would try, and what it left and why."""
    if dry_run:
        out.print(
            f"{counted(tally.to_try, 'file')} would be tried again; rows in quarantine in all chosen: {tally.rows:,}"
        )
    else:
        out.print(
            f"{counted(tally.fixed, 'row')} fixed ({tally.loaded:,} loaded, {tally.duplicates:,} were there already), "
            f"{tally.still_bad:,} still bad, in {counted(tally.to_try, 'file')}"
        )
    for name, why in _LEFT.items():
        if count := getattr(tally, name):
            out.print(f"{count:,} left: {why}")
