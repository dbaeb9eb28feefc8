"""Writes a draft as YAML: what is unsure stands in a comment. No value of the file is in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sources.suggest.draft_columns import Drafted
    from lakehouse.sources.suggest.file_settings import Draft

_WIDTH = 1_000_000  # a column is a line


def as_yaml(draft: Draft) -> str:
    """Return the text of the definition that a draft proposes."""
    return "\n".join([*_head(draft), *_columns(draft), *_identity(draft), *_core(draft)]) + "\n"


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=_WIDTH
    )
    return text.removesuffix("...\n").strip()


def _line(name: str, value: str) -> str:
    """Return a line of the definition; SQL with texts in it in double quotes, since that reads best."""
    if "'" in value and value.isprintable():
        return f"{name}: {json.dumps(value, ensure_ascii=False)}"
    return f"{name}: {_flow({name: value})[len(name) + 3 : -1]}"


def said(text: str) -> str:
    """Return a text as one line of a comment, whatever signs it has."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _head(draft: Draft) -> Iterator[str]:
    chosen = draft.chosen
    scores = ", ".join(
        f"{name} {score:.2f}" for name, score in chosen.scores.items() if name != chosen.entity
    )
    yield f"# Suggested by `lakehouse sources suggest` from {draft.sampled:,} of {draft.rows:,} rows."
    yield "# Read it through; `lakehouse sources check` looks at it, `lakehouse sources add` puts it to work."
    yield f"# It seems to be {chosen.entity} ({chosen.scores[chosen.entity]:.2f}); next: {scores or 'nothing'}."
    if not chosen.sure:
        yield "# unsure: the next is as likely: `--as ENTITY` says which it is."
    for note in draft.notes:
        yield f"# unsure: {said(note)}"
    yield _line("source", draft.source)
    yield _line("entity", draft.entity)
    words = chosen.entity.replace("_", " ").capitalize()
    yield _line("doc", f"{words} as {draft.source} exports them, every version as received.")
    yield _line("grain", _grain(draft))
    yield f"format: {draft.format}"
    for name in ("encoding", "sheet"):
        if value := getattr(draft, name):
            yield _line(name, value)
    if draft.time_zone.why:
        yield f"# unsure: {draft.time_zone.why}"
    yield f"time_zone: {draft.time_zone.value}"
    if draft.key.why:
        yield f"# unsure: key: {draft.key.why}"
    if draft.key.value:
        yield f"key: {_flow(draft.key.value.split(', '))}"
        yield "# full_export: {}  # if each file lists all records there are: what is missing was deleted"
    yield "partition: [day(_loaded_at)]"
    if draft.key.value:
        yield f"sort: {_flow(draft.key.value.split(', '))}"


def _grain(draft: Draft) -> str:
    words = draft.chosen.entity.replace("_", " ")
    one = words[:-3] + "y" if words.endswith("ies") else words.removesuffix("s")
    return f"one row a received version of {'an' if one[0] in 'aeiou' else 'a'} {one}"


def _columns(draft: Draft) -> Iterator[str]:
    yield "columns:"
    for column in draft.columns:
        yield f"  # {_about(column)}"
        for note in column.notes:
            yield f"  # {'' if note.startswith('unsure') else 'note: '}{said(note)}"
        yield f"  - {_flow(_cells(column))}"


def _about(column: Drafted) -> str:
    header = said(column.header)
    if not column.core:
        return f"{header}: nothing of core; it stays a column here"
    if column.certain:
        return f"{header}: {column.core}, {column.confidence}: {said(column.why)}"
    return f"{header}: unsure, {column.core} perhaps, {column.confidence}: {said(column.why)}"


def _cells(column: Drafted) -> dict[str, Any]:
    cells: dict[str, Any] = {"name": column.name, "from": column.header}
    if column.type != "string":
        cells["type"] = column.type
    if column.formats:
        cells["formats"] = list(column.formats)
    for name in ("pii", "required"):
        if getattr(column, name):
            cells[name] = True
    return cells | {"doc": column.doc}


def _identity(draft: Draft) -> Iterator[str]:
    if not draft.identifiers:
        return
    yield ""
    yield _line("record", draft.record)
    yield _line("seen_at", draft.seen_at)
    if draft.region:
        yield "# unsure: where phones without a country code are from"
        yield _line("region", draft.region)
    yield "identifiers:"
    for kind, value, sure in draft.identifiers:
        line = f"- {_flow({'type': kind, 'value': value})}"
        yield f"  {line}" if sure else f"  # {line}  # unsure: is it the customer's own?"


def _core(draft: Draft) -> Iterator[str]:
    yield ""
    if not draft.core:
        yield f"# core:  # unsure: nothing is certain enough to be mapped to {draft.chosen.entity}"
        return
    yield "core:"
    yield f"  {draft.chosen.entity}:"
    for name, expression, why in draft.core:
        line = _line(name, expression)
        yield f"    {line}" + (f"  # {said(why)}" if why and why != "high" else "")
    for name, expression, why in draft.unsure:
        yield f"    # unsure: {_line(name, expression)}  # {said(why)}"
    if not any(name == "updated_at" for name, _, _ in draft.core):
        yield "    # no updated_at: of two versions of a record, the one that was loaded later counts"
