"""The suggest stage: a file that nobody has seen becomes the draft of a source definition."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.ingest.profile import profile as profiles
from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.progress import no_progress
from lakehouse.sources.suggest.choose import choose
from lakehouse.sources.suggest.evidence import Seen
from lakehouse.sources.suggest.file_settings import Draft, File, draft
from lakehouse.sources.suggest.target_columns import candidates

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.ingest.profile.profile import Profile, ReadingHints
    from lakehouse.progress import Progress
    from lakehouse.settings import Settings

_PLACE = re.compile(r"[a-z0-9][a-z0-9_]*")


def suggest(  # noqa: PLR0913 - what a person may say beforehand
    settings: Settings,
    path: Path,
    hints: ReadingHints | None = None,
    *,
    source: str = "",
    entity: str = "",
    told: str = "",
    rows: int = ProfilePolicy.sample_rows,
    progress: Progress = no_progress,
) -> Draft:
    """Return the draft of a definition for a file; `told` is the canonical entity that a person says it is.

    Raises what `profile` raises, and Terminal for a file without a header, and for names that no definition may have.
    """
    for name, given in (("--source", source), ("--entity", entity)):
        if given and not _PLACE.fullmatch(given):
            raise Terminal(
                f"{name} {given}: small letters, digits and _ make a name, such as shop or order_lines"
            )
    check_entity(told)
    found = profiles.profile(settings, path, hints, sample_rows=rows, progress=progress)
    return from_profile(
        found, path, hints or profiles.ReadingHints(), source=source, entity=entity, told=told
    )


def check_entity(told: str) -> None:
    """Raise Terminal for what is no canonical entity that files are suggested to be."""
    if told and told not in candidates():
        near = get_close_matches(told, candidates(), 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise Terminal(f"--as {told}: no such entity; {hint}there are {', '.join(sorted(candidates()))}")


def from_profile(
    found: Profile, path: Path, hints: ReadingHints, *, source: str = "", entity: str = "", told: str = ""
) -> Draft:
    """Return the draft of a definition for a file of this profile."""
    if found.headless:
        raise Terminal(
            f"{path}: its first line looks like a row, and a definition needs the names of columns: put a line with "
            "names above it, and ask again"
        )
    seen = [_seen(column, found.rows) for column in found.columns if column.header.strip()]
    if not seen:
        raise Terminal(f"{path}: it has no columns to suggest anything for")
    chosen = choose(seen, told, [path.stem, *([entity] if entity else [])])
    notes = [f"{code}: {count:,} rows cannot be read" for code, count in found.unreadable.items()]
    if found.left_out:
        notes.append(f"{found.left_out:,} more columns were left out")
    file = File(
        source=source or _plain(path.parent.name) or "mine",
        entity=entity or chosen.entity,
        format="ndjson" if found.kind == "json_lines" else "csv",
        rows=found.rows,
        sampled=found.sampled,
        encoding=hints.encoding,
        sheet=hints.sheet,
        notes=tuple(notes),
    )
    return draft(file, seen, chosen)


def _plain(name: str) -> str:
    """Return a folder's name as a source's, where it is one."""
    return (
        name if _PLACE.fullmatch(name) and not name.isdigit() and name not in ("tmp", "home", "data") else ""
    )


def _seen(column: profiles.ColumnProfile, rows: int) -> Seen:
    return Seen(
        header=column.header,
        found=column.found,
        rows=rows,
        filled=column.filled,
        distinct=column.distinct,
        key=column.key,
        loads=column.loads_so,
        formats=column.formats,
        ambiguous=column.ambiguous,
    )
