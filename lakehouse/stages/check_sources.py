"""The check stage: source definitions are held against the contracts, before a file meets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import BadDefinition, Terminal
from lakehouse.sources import definition
from lakehouse.sources.review import Finding, read, weigh
from lakehouse.sources.sql_check import bind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source

_FOLDERS = "sources"


def check_text(settings: Settings, text: str, where: str) -> tuple[Source | None, list[Finding]]:
    """Return a definition, None where it cannot be read, and all there is to say of it."""
    source, found = read(text, where)
    if source is None:
        return None, found
    return source, [*bind(settings, source, where), *weigh(source, where, _identifier_types(settings))]


def check_files(
    settings: Settings, paths: Iterable[Path], on: Callable[[str], None] = lambda _: None
) -> list[Finding]:
    """Return what there is to say of these files; `on` hears of each. Raises Terminal for one that is not there."""
    found: list[Finding] = []
    for path in paths:
        on(path.name)
        found += check_text(settings, text_of(path), path.name)[1]
    return found


def check_all(settings: Settings, on: Callable[[str], None] = lambda _: None) -> tuple[int, list[Finding]]:
    """Return how many definitions there are, shipped and people's own, and what there is to say of them."""
    found: list[Finding] = []
    number = 0
    for entry in _entries(settings):
        number += 1
        on(entry.name)
        try:
            text = entry.read_text("utf-8")
        except UnicodeDecodeError:
            found.append(Finding("error", entry.name, "the whole file", "not UTF-8: save it as UTF-8"))
            continue
        found += check_text(settings, text, entry.name)[1]
    try:
        definition.load(settings.definitions)
    except BadDefinition as error:
        if not any(one.level == "error" for one in found):  # two that are good, and contradict each other
            found.append(Finding("error", "all files", "the whole", str(error)))
    return number, found


def text_of(path: Path) -> str:
    """Return a file's text; Terminal where it cannot be read."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise Terminal(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Terminal(f"{path} is not UTF-8: save it as UTF-8") from None


def _entries(settings: Settings) -> Iterator[Traversable]:
    folders: list[Traversable] = [files("lakehouse.sources") / "definitions"]
    if settings.definitions is not None and (settings.definitions / _FOLDERS).is_dir():
        folders.append(settings.definitions / _FOLDERS)
    for folder in folders:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.name.endswith(".yaml"):
                yield entry


def _identifier_types(settings: Settings) -> set[str]:
    try:
        sources = definition.load(settings.definitions).values()
    except BadDefinition:  # told for the file that it is in
        sources = definition.load().values()
    return {one.type for source in sources for one in source.identifiers}
