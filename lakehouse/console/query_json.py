"""The rows of a query as JSON: every digit kept, nothing that a JSON parser would refuse."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


def as_json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the text of a JSON list of objects, piece by piece; columns that share a name get a number.

    Decimals are JSON numbers with all their digits, times are ISO 8601, binary is hexadecimal; NaN and the
    infinities, for which JSON has no word, are null.
    """
    names = [json.dumps(name) for name in distinct(columns)]
    yield "["
    for number, row in enumerate(rows):
        cells = ", ".join(f"{name}: {json_value(value)}" for name, value in zip(names, row, strict=True))
        yield f"{', ' if number else ''}{{{cells}}}"
    yield "]\n"


def distinct(names: Sequence[str]) -> list[str]:
    """Return the names, those that come again with `_1`, `_2`, … behind."""
    taken: set[str] = set()
    found = []
    for name in names:
        number, free = 0, name
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free)
        found.append(free)
    return found


def json_value(value: Any) -> str:
    """Return a value as JSON: every digit of a decimal kept, times as ISO 8601, binary as hexadecimal digits."""
    text: str | None = None
    match value:
        case Decimal():
            text = f"{value:f}" if value.is_finite() else "null"
        case float() if not math.isfinite(value):
            text = "null"
        case list() | tuple():
            text = f"[{', '.join(map(json_value, value))}]"
        case dict():
            members = (f"{json.dumps(str(name))}: {json_value(member)}" for name, member in value.items())
            text = f"{{{', '.join(members)}}}"
        case datetime() | date() | time():
            text = json.dumps(value.isoformat())
        case bytes():
            text = json.dumps(value.hex())
    return text if text is not None else json.dumps(value, ensure_ascii=False, default=str)
