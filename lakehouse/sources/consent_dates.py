"""Which columns say when somebody refused, and what tells that the row is a refusal.

A refusal counts, whatever stands for its date: one that cannot be read is none, and then it counts from its arrival.
Of a yes a date that cannot be read sets its row aside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source

_COLUMN = re.compile(r"[a-z][a-z0-9_]*")
_OF_AN_ELEMENT = re.compile(r"\beach\b")
_WORD = re.compile(r"\w+")


def find(source: Source) -> dict[str, str]:
    """Return by column the condition that a row refuses something as of it.

    Only columns that are not required and mean nothing else: without its date an order is none.
    """
    optional = {column.name for column in source.stored if not column.required}
    refuses: dict[str, list[str]] = {}
    for mapping in source.mappings("consents"):
        name, granted = mapping.get("stated_at", "").strip(), mapping.get("granted", "")
        if name not in optional or not _COLUMN.fullmatch(name) or _OF_AN_ELEMENT.search(granted):
            continue
        refuses.setdefault(name, []).append(f"coalesce(NOT ({granted}), false)")
    elsewhere = _named_elsewhere(source)
    return {name: " OR ".join(dict.fromkeys(each)) for name, each in refuses.items() if name not in elsewhere}


def _named_elsewhere(source: Source) -> set[str]:
    """Return all words of a source's mappings, but for those that say when a consent was stated."""
    pieces = (
        sql
        for entity in source.core
        for mapping in source.mappings(entity)
        for target, sql in mapping.items()
        if (entity, target) != ("consents", "stated_at")
    )
    return {word for sql in pieces for word in _WORD.findall(sql)}
