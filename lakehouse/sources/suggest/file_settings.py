"""Puts a whole draft together: the columns, what core gets of them, and the settings of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lakehouse.sources.mappable_entities import record_key
from lakehouse.sources.suggest.choose import Choice
from lakehouse.sources.suggest.composite_sql import core_expression
from lakehouse.sources.suggest.draft_columns import DraftColumn, by_core_column, draft_columns
from lakehouse.sources.suggest.evidence import FileColumn
from lakehouse.sources.suggest.guesses import Guess, guess_currency, guess_key, guess_time_zone
from lakehouse.sources.suggest.identifiers import (
    CoreColumn,
    DraftIdentifier,
    find_owner,
    record_expression,
    seen_at_expression,
)
from lakehouse.sources.suggest.policy import DraftPolicy
from lakehouse.sources.suggest.target_columns import WHOSE
from lakehouse.sources.suggest.words import name_of
from lakehouse.tables import entities


@dataclass(frozen=True)
class FileSettings:
    """What is known of the file itself, and its source key. `rows` are of the file, `sampled` those looked at."""

    source: str
    entity: str
    format: Literal["csv", "ndjson"] = "csv"
    rows: int = 0
    sampled: int = 0
    encoding: str | None = None
    sheet: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A whole draft. `core` is what core gets, `unsure` what it may get once a person has looked.

    `record`, `seen_at` and `region` are SQL for the identifiers, empty where there are none.
    """

    source: str
    entity: str
    choice: Choice
    format: Literal["csv", "ndjson"]
    rows: int
    sampled: int
    columns: tuple[DraftColumn, ...]
    key: Guess
    time_zone: Guess
    record: str = ""
    seen_at: str = ""
    region: str = ""
    encoding: str | None = None
    sheet: str | None = None
    identifiers: tuple[DraftIdentifier, ...] = ()
    core: tuple[CoreColumn, ...] = ()
    unsure: tuple[CoreColumn, ...] = ()
    notes: tuple[str, ...] = ()


def draft(file: FileSettings, columns: Sequence[FileColumn], choice: Choice) -> Draft:
    """Return the whole draft of a file with these columns, whose entity was chosen."""
    entity = choice.entity
    drafted = draft_columns(columns, choice.matches, entity)
    by_core = by_core_column(drafted)
    key = guess_key(entity, columns, drafted, by_core)
    drafted = _with_required(drafted, key.value.split(", "), columns)
    chinese = _has_chinese_headers(columns)
    owner = find_owner(file.source, file.entity, entity, drafted, by_core)
    core, unsure = _core_columns(drafted, by_core)
    currency = guess_currency(entity, columns, drafted, chinese=chinese)
    if currency is not None and "currency" not in by_core:
        expressions = core if currency.sure else unsure
        expressions.append(CoreColumn("currency", currency.value, currency.why))
    has_identifiers = bool(owner.identifiers)
    from_china = chinese or any("damaged_phone" in column.personal for column in columns)
    return Draft(
        source=file.source,
        entity=file.entity,
        choice=choice,
        format=file.format,
        rows=file.rows,
        sampled=file.sampled,
        columns=drafted,
        key=key,
        time_zone=guess_time_zone(columns, drafted, chinese=chinese),
        record=record_expression(file.source, file.entity, entity, by_core) if has_identifiers else "",
        seen_at=seen_at_expression(by_core) if has_identifiers else "",
        region="'CN'" if has_identifiers and from_china else "",
        encoding=file.encoding,
        sheet=file.sheet,
        identifiers=owner.identifiers,
        core=(*owner.core, *core),
        unsure=tuple(unsure),
        notes=(*file.notes, *_notes_on_missing_key(entity, by_core)),
    )


def _with_required(
    drafted: Sequence[DraftColumn], key: Sequence[str], columns: Sequence[FileColumn]
) -> tuple[DraftColumn, ...]:
    """Return the columns, with those of the key required that have a value in every row."""
    pairs = zip(drafted, columns, strict=True)
    return tuple(
        replace(draft_column, required=draft_column.name in key and _is_full(column))
        for draft_column, column in pairs
    )


def _is_full(column: FileColumn) -> bool:
    return 0 < column.rows == column.filled


def _has_chinese_headers(columns: Sequence[FileColumn]) -> bool:
    chinese = sum(bool(name_of(column.header).han) for column in columns)
    return chinese > DraftPolicy.least_chinese_headers * len(columns)


def _core_columns(
    drafted: Sequence[DraftColumn], by_core: Mapping[str, Sequence[DraftColumn]]
) -> tuple[list[CoreColumn], list[CoreColumn]]:
    """Return what core gets, and what it may get once a person has looked."""
    core = [
        CoreColumn(name, core_expression(name, sources, drafted), sources[0].confidence or "")
        for name, sources in by_core.items()
        if name != WHOSE
    ]
    doubtful = [column for column in drafted if column.core and not column.is_mapped]
    unsure = [
        CoreColumn(column.core, column.expression, f"{column.why} ({column.header})")
        for column in doubtful
        if column.core not in by_core
    ]
    return core, unsure


def _notes_on_missing_key(entity: str, by_core: Mapping[str, Sequence[DraftColumn]]) -> list[str]:
    key = record_key(entities.BY_NAME[entity])
    missing = [name for name in key if name not in ("source", *by_core)]
    return [f"no column seems to be {name}, which core.{entity} is keyed by: name it" for name in missing]
