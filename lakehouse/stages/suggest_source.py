"""The suggest stage: a file that nobody has seen becomes the draft of a source definition."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.ingest.profile import profile as profiles
from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.progress import Progress, no_progress
from lakehouse.sources.suggest.choose import choose_entity
from lakehouse.sources.suggest.evidence import FileColumn
from lakehouse.sources.suggest.file_settings import Draft, FileSettings, draft
from lakehouse.sources.suggest.target_columns import candidate_entities

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.ingest.profile.profile import Profile, ReadingHints
    from lakehouse.settings import Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")  # of a source and of its entities
_NO_SOURCES = ("tmp", "home", "data")  # folders whose names say nothing of where files are from
_UNNAMED_SOURCE = "mine"


def suggest(  # noqa: PLR0913 - what a person may say beforehand
    settings: Settings,
    path: Path,
    hints: ReadingHints | None = None,
    *,
    source: str = "",
    entity: str = "",
    core_entity: str = "",
    rows: int = ProfilePolicy.sample_rows,
    progress: Progress = no_progress,
) -> Draft:
    """Return the draft of a definition for a file; `core_entity` is the canonical entity that a person says it is.

    `source` and `entity` are its source key, guessed where they are empty; `rows` are looked at, at most. `progress`
    hears how many bytes were read. Raises what `profile` raises, and Terminal for a file without a header, and for
    names that no definition may have.
    """
    _check_name("--source", source)
    _check_name("--entity", entity)
    check_entity(core_entity)
    profile = profiles.profile(settings, path, hints, sample_rows=rows, progress=progress)
    return from_profile(
        profile, path, hints or profiles.ReadingHints(), source=source, entity=entity, core_entity=core_entity
    )


def check_entity(core_entity: str) -> None:
    """Raise Terminal for what is no canonical entity that files are suggested to be."""
    known = candidate_entities()
    if not core_entity or core_entity in known:
        return
    near = get_close_matches(core_entity, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise Terminal(f"--as {core_entity}: no such entity; {hint}there are {', '.join(sorted(known))}")


def from_profile(
    profile: Profile,
    path: Path,
    hints: ReadingHints,
    *,
    source: str = "",
    entity: str = "",
    core_entity: str = "",
) -> Draft:
    """Return the draft of a definition for a file of this profile."""
    if profile.headless:
        raise Terminal(
            f"{path}: its first line looks like a row, and a definition needs the names of columns: put a line with "
            "names above it, and ask again"
        )
    columns = [_file_column(column, profile.rows) for column in profile.columns if column.header.strip()]
    if not columns:
        raise Terminal(f"{path}: it has no columns to suggest anything for")
    names = [path.stem, entity] if entity else [path.stem]
    choice = choose_entity(columns, core_entity, names)
    file = FileSettings(
        source=source or _source_name(path.parent.name) or _UNNAMED_SOURCE,
        entity=entity or choice.entity,
        format="ndjson" if profile.kind == "json_lines" else "csv",
        rows=profile.rows,
        sampled=profile.sampled,
        encoding=hints.encoding,
        sheet=hints.sheet,
        notes=tuple(_notes(profile)),
    )
    return draft(file, columns, choice)


def _check_name(option: str, name: str) -> None:
    if name and not _NAME.fullmatch(name):
        raise Terminal(
            f"{option} {name}: small letters, digits and _ make a name, such as shop or order_lines"
        )


def _source_name(folder: str) -> str:
    """Return a folder's name as a source's; empty where it cannot be one, or says nothing."""
    if not _NAME.fullmatch(folder) or folder.isdigit() or folder in _NO_SOURCES:
        return ""
    return folder


def _notes(profile: Profile) -> list[str]:
    notes = [f"{code}: {count:,} of the rows cannot be read" for code, count in profile.unreadable.items()]
    notes += [f"{part.name} is not read: {part.reason}" for part in profile.unread_parts]
    if profile.left_out:
        notes.append(f"{profile.left_out:,} more columns were left out")
    return notes


def _file_column(column: profiles.ColumnProfile, rows: int) -> FileColumn:
    return FileColumn(
        header=column.header,
        description=column.found,
        rows=rows,
        filled=column.filled,
        distinct=column.distinct,
        key=column.key,
        loads=column.loads_so,
        formats=column.formats,
        ambiguous=column.ambiguous,
    )
