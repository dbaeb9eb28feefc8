"""Names for the columns of a draft: small letters, digits and _, that SQL reads without quotes."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from lakehouse.sources.suggest.target_columns import WHOSE, targets
from lakehouse.sources.suggest.words import name_of, vocabulary

# What DuckDB does not take as the name of a column without quotes; and `extra`, which each raw table has.
_WORDS_OF_SQL = (
    "all analyse analyze and anti any array as asc asof asymmetric at authorization between binary both by case "
    "cast check collate collation column concurrently constraint create cross default deferrable desc describe "
    "distinct do else end escape except false fetch for foreign freeze from full glob group having ilike in "
    "initially inner intersect into is isnull join lambda lateral leading left like limit natural not notnull "
    "offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify "
    "references returning right select semi show similar some summarize symmetric table tablesample then to "
    "trailing true union unique unpack unpivot using variadic verbose when where window with extra"
)
RESERVED = frozenset(_WORDS_OF_SQL.split())
_SAYS_NOTHING = ("n", "v")  # what is left of a header such as `№`
_WHOSE_NAME = "customer_ref"  # what the column is called that says whose record it is
# Entities whose Chinese names of columns are looked up, the later ones first.
_NAMING_ENTITIES = ("deals", "tickets", "products", "orders", "accounts", "contacts")


def column_name(header: str, index: int, core: str, taken: set[str]) -> str:
    """Return a name for a column: its header as one word, or what it means where that is not English.

    `core` is the canonical column that it surely becomes, or empty; names of `taken` are none.
    """
    name = _english_name(header)
    if not name[:1].isalpha() or name in _SAYS_NOTHING:
        name = _called(core) or _called(_names_of_han().get(name_of(header).han, "")) or f"column_{index + 1}"
    if name in RESERVED:
        name += "_value"
    return _free_name(name, taken)


def _english_name(header: str) -> str:
    """Return a header as one word; empty where it is Chinese, or has no letters and digits."""
    if name_of(header).han:
        return ""
    plain = header.replace("#", " number ").replace("%", " percent ")
    plain = unicodedata.normalize("NFKD", plain)
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def _called(core: str) -> str:
    return _WHOSE_NAME if core == WHOSE else core


def _free_name(name: str, taken: set[str]) -> str:
    """Return the name, with the first number behind it that makes it one that is not taken."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


@lru_cache(maxsize=1)
def _names_of_han() -> dict[str, str]:
    """Return English names for Chinese headers: those of canonical columns, and of some that core has no place for."""
    names: dict[str, str] = {}
    for entity in _NAMING_ENTITIES:
        for target in targets(entity):
            names |= {name.han: target.column for name in target.names if name.han}
    plain = {name_of(header).han: word for header, word in vocabulary()["plain_zh"].items()}
    return names | plain
