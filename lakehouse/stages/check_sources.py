"""The check stage: source definitions are held against the contracts, before a file meets them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.definitions import WHOLE_FILE
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.sources import definition
from lakehouse.sources.review import Finding, read, weigh, with_lines
from lakehouse.sources.sql_check import bind, connect

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source

_NOT_UTF8 = "not UTF-8: save it as UTF-8"


def check_text(settings: Settings, text: str, where: str) -> tuple[Source | None, list[Finding]]:
    """Return a definition, None where it cannot be read, and all there is to say of it."""
    with connect(settings) as con:
        return _check_text(con, text, where, _identifier_types(settings))


def _check_text(
    con: duckdb.DuckDBPyConnection, text: str, where: str, identifier_types: Collection[str]
) -> tuple[Source | None, list[Finding]]:
    source, problems = read(text, where)
    if source is None:
        return None, problems
    findings = [*bind(con, source, where), *weigh(source, where, identifier_types)]
    return source, with_lines(findings, text)


def check_files(
    settings: Settings, paths: Iterable[Path], on_file: Callable[[str], None] = lambda _: None
) -> list[Finding]:
    """Return what there is to say of these files; `on_file` hears the name of each.

    Raises Terminal for a file that cannot be read.
    """
    findings: list[Finding] = []
    identifier_types = _identifier_types(settings)
    with connect(settings) as con:
        for path in paths:
            on_file(path.name)
            findings += _check_text(con, text_of(path), path.name, identifier_types)[1]
    return findings


def check_all(
    settings: Settings, on_file: Callable[[str], None] = lambda _: None
) -> tuple[int, list[Finding]]:
    """Return how many definitions there are, shipped and people's own, and what there is to say of them."""
    findings: list[Finding] = []
    count = 0
    identifier_types = _identifier_types(settings)
    with connect(settings) as con:
        for file in definition.load.files(settings.definitions):
            count += 1
            on_file(file.name)
            try:
                text = file.text
            except BadDefinition:
                findings.append(Finding("error", file.name, WHOLE_FILE, _NOT_UTF8))
                continue
            findings += _check_text(con, text, file.name, identifier_types)[1]
    if not any(finding.level == "error" for finding in findings):
        findings += _check_together(settings)
    return count, findings


def shipped_warnings(
    settings: Settings, findings: Iterable[Finding], named: Collection[Path] | None
) -> list[Finding]:
    """Return the warnings of definitions as they ship, which were weighed; none where files were `named`."""
    shipped = set() if named else set(definition.load.files(None))
    names = {file.name for file in definition.load.files(settings.definitions) if file in shipped}
    return [finding for finding in findings if finding.level == "warning" and finding.file in names]


def _check_together(settings: Settings) -> list[Finding]:
    """Return the error of definitions that are good one by one, and contradict each other."""
    try:
        definition.load(settings.definitions)
    except BadDefinition as error:
        return [Finding("error", "all files", "the whole", str(error))]
    return []


def text_of(path: Path) -> str:
    """Return a file's text; Terminal where it cannot be read."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise Terminal(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Terminal(f"{path} is {_NOT_UTF8}") from None


def _identifier_types(settings: Settings) -> set[str]:
    try:
        sources = definition.load(settings.definitions).values()
    except BadDefinition:  # reported for the file that is wrong
        sources = definition.load().values()
    return {identifier.type for source in sources for identifier in source.identifiers}
