"""Writes a draft as YAML: what is unsure stands in a comment. No value of the file is in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import yaml

from lakehouse.sources.suggest.draft_columns import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sources.suggest.draft_columns import DraftColumn
    from lakehouse.sources.suggest.file_settings import Draft
    from lakehouse.sources.suggest.identifiers import DraftIdentifier

_UNBROKEN: Final = 1_000_000  # characters of a line, which is never broken: a column is a line


def as_yaml(draft: Draft) -> str:
    """Return the text of the definition that a draft proposes."""
    lines = [
        *_comments(draft),
        *_file_lines(draft),
        *_column_lines(draft),
        *_identity_lines(draft),
        *_core_lines(draft),
    ]
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=_UNBROKEN
    )
    return text.removesuffix("...\n").strip()


def _line(name: str, value: str) -> str:
    """Return a line of the definition; SQL with texts in it in double quotes, since that reads best."""
    if "'" in value and value.isprintable():
        return f"{name}: {json.dumps(value, ensure_ascii=False)}"
    return f"{name}: {_flow({name: value})[len(name) + 3 : -1]}"


def _comments(draft: Draft) -> Iterator[str]:
    """Yield what whoever reads the draft must know first."""
    choice = draft.choice
    others = [f"{name} {score:.2f}" for name, score in choice.scores.items() if name != choice.entity]
    score = choice.scores[choice.entity]
    yield f"# Suggested by `lakehouse sources suggest` from {draft.sampled:,} of {draft.rows:,} rows."
    yield "# Read it through; `lakehouse sources check` looks at it, `lakehouse sources add` puts it to work."
    yield f"# It seems to be {choice.entity} ({score:.2f}); next: {', '.join(others) or 'nothing'}."
    if not choice.sure:
        yield "# unsure: the next is as likely: `--as ENTITY` says which it is."
    for note in draft.notes:
        yield f"# unsure: {printable(note)}"


def _file_lines(draft: Draft) -> Iterator[str]:
    words = draft.choice.entity.replace("_", " ").capitalize()
    yield _line("source", draft.source)
    yield _line("entity", draft.entity)
    yield _line("doc", f"{words} as {draft.source} exports them, every version as received.")
    yield _line("grain", _grain(draft))
    yield f"format: {draft.format}"
    for name, value in (("encoding", draft.encoding), ("sheet", draft.sheet)):
        if value:
            yield _line(name, value)
    if draft.time_zone.why:
        yield f"# unsure: {draft.time_zone.why}"
    yield f"time_zone: {draft.time_zone.value}"
    key = _flow(draft.key.value.split(", ")) if draft.key.value else ""
    if draft.key.why:
        yield f"# unsure: key: {draft.key.why}"
    if key:
        yield f"key: {key}"
        yield "# full_export: {}  # if each file lists all records there are: what is missing was deleted"
    yield "partition: [day(_loaded_at)]"
    if key:
        yield f"sort: {key}"


def _grain(draft: Draft) -> str:
    words = draft.choice.entity.replace("_", " ")
    singular = words[:-3] + "y" if words.endswith("ies") else words.removesuffix("s")
    article = "an" if singular[0] in "aeiou" else "a"
    return f"one row a received version of {article} {singular}"


def _column_lines(draft: Draft) -> Iterator[str]:
    yield "columns:"
    for column in draft.columns:
        yield f"  # {_meaning(column)}"
        for note in column.notes:
            label = "" if note.startswith("unsure") else "note: "
            yield f"  # {label}{printable(note)}"
        yield f"  - {_flow(_fields(column))}"


def _meaning(column: DraftColumn) -> str:
    """Return in words what core gets of a column, how sure that is, and why."""
    header = printable(column.header)
    if not column.core:
        return f"{header}: nothing of core; it stays a column here"
    reason = f"{column.confidence}: {printable(column.why)}"
    if column.is_mapped:
        return f"{header}: {column.core}, {reason}"
    return f"{header}: unsure, {column.core} perhaps, {reason}"


def _fields(column: DraftColumn) -> dict[str, Any]:
    """Return the column as it stands in a definition, without what is usual."""
    fields: dict[str, Any] = {"name": column.name, "from": column.header}
    if column.type != "string":
        fields["type"] = column.type
    if column.formats:
        fields["formats"] = list(column.formats)
    if column.pii:
        fields["pii"] = True
    if column.required:
        fields["required"] = True
    return fields | {"doc": column.doc}


def _identity_lines(draft: Draft) -> Iterator[str]:
    if not draft.identifiers:
        return
    yield ""
    yield _line("record", draft.record)
    yield _line("seen_at", draft.seen_at)
    if draft.region:
        yield "# unsure: where phones without a country code are from"
        yield _line("region", draft.region)
    yield "identifiers:"
    for identifier in draft.identifiers:
        yield _identifier_line(identifier)


def _identifier_line(identifier: DraftIdentifier) -> str:
    line = f"- {_flow({'type': identifier.type, 'value': identifier.value})}"
    return f"  {line}" if identifier.sure else f"  # {line}  # unsure: is it the customer's own?"


def _core_lines(draft: Draft) -> Iterator[str]:
    yield ""
    if not draft.core:
        yield f"# core:  # unsure: nothing is certain enough to be mapped to {draft.choice.entity}"
        return
    yield "core:"
    yield f"  {draft.choice.entity}:"
    for column in draft.core:
        comment = f"  # {printable(column.why)}" if column.why not in ("", "high") else ""
        yield f"    {_line(column.column, column.expression)}{comment}"
    for column in draft.unsure:
        yield f"    # unsure: {_line(column.column, column.expression)}  # {printable(column.why)}"
    if all(column.column != "updated_at" for column in draft.core):
        yield "    # no updated_at: of two versions of a record, the one that was loaded later counts"
