"""Which columns of a source hold money, and what its mappings say of the currency of each.

An amount may name a currency of its own, as `USD 5` does. That has to agree with what the row, or the mapping, says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lakehouse.sources.mappable_entities import ENTITIES, VIEWS, WHERE
from lakehouse.sources.value_formats import POINTS

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source, SourceColumn

CURRENCY: Final = "currency"  # the column of an entity that says in which currency its sums are
NO_CURRENCY: Final = "NULL"
# Decimals of entities with a currency that are no sums.
_NO_MONEY: Final = frozenset(
    {"quantity", "sequence", "impressions", "clicks", "conversions", "leads", "probability", "rate"}
)
_WORD = re.compile(r"\w+")
_WINDOW = re.compile(r"\bover\s*\([^()]*\)", re.IGNORECASE)
# What cannot be asked of a row alone: other rows, an element of a list, where the row came from.
_BEYOND_THE_ROW = re.compile(r"\b(?:over|select|each|_file_id|_row|_loaded_at)\b", re.IGNORECASE)


@dataclass(frozen=True)
class MoneyColumn:
    """A column of amounts that may name a currency, and how one mapping says which it is.

    `currency_sql` is SQL over the source's columns, `NULL` where the mapping says nothing. `currency_column` is the one
    column that says it, which may take what an amount names where it is empty. `where` is the condition of the
    mapping's rows.
    """

    name: str
    currency_sql: str
    currency_column: str | None
    where: str | None


def find(source: Source) -> tuple[MoneyColumn, ...]:
    """Return the columns of money, each once for every way in which mappings say its currency."""
    return tuple(dict.fromkeys(_all(source)))


def money_targets(entity: str) -> frozenset[str]:
    """Return the columns of an entity that are sums in its currency."""
    columns = VIEWS[entity]
    if CURRENCY not in columns:
        return frozenset()
    decimals = (name for name, kind in columns.items() if kind.startswith("DECIMAL"))
    return frozenset(decimals) - _NO_MONEY


def _all(source: Source) -> Iterator[MoneyColumn]:
    amounts = [column.name for column in source.stored if not POINTS.keys().isdisjoint(column.formats)]
    if not amounts:
        return
    stored = {column.name: column for column in source.stored}
    for entity in source.core:
        if entity not in ENTITIES:
            continue
        for mapping in source.mappings(entity):
            used = {word for name in money_targets(entity) for word in _words(mapping.get(name, ""))}
            for name in amounts:
                if name in used:
                    yield _money_column(name, mapping, stored)


def _money_column(name: str, mapping: Mapping[str, str], stored: Mapping[str, SourceColumn]) -> MoneyColumn:
    sql = mapping.get(CURRENCY, NO_CURRENCY)
    words = dict.fromkeys(_words(_WINDOW.sub("", sql)))
    texts = [word for word in words if word in stored and stored[word].type == "string"]
    column = texts[0] if len(texts) == 1 and stored[texts[0]].collect is None else None
    if _BEYOND_THE_ROW.search(sql):
        sql = column or NO_CURRENCY
    where = mapping.get(WHERE)
    if where is not None and _BEYOND_THE_ROW.search(where):
        where = None
    return MoneyColumn(name, sql, column, where)


def _words(sql: str) -> list[str]:
    return _WORD.findall(sql)
