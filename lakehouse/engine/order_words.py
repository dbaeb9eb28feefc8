"""Words by which systems say how an order, a refund or a return stands: `order_words.csv`, one list for all mappings.

Case, hyphens and underscores do not matter, nor WooCommerce's `wc-` before a word: wc-on-hold is on hold. What is on no
list is `unknown`, and not guessed at: `lakehouse.sources.order_states` says what becomes of it.

- `sold`: it counts;
- `refund asked`: it counts, and its money was not given back yet;
- `partly refunded`: it counts by what is left;
- `refunded`: all of it was given back;
- `pending`: unpaid, a draft, a quotation;
- `cancelled`: cancelled, voided, failed, expired;
- `test`: nobody bought anything.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files
from typing import Final

from lakehouse.engine.escape import literal, literals

SOLD: Final = "sold"
REFUND_ASKED: Final = "refund asked"
PARTLY_REFUNDED: Final = "partly refunded"
REFUNDED: Final = "refunded"
PENDING: Final = "pending"
CANCELLED: Final = "cancelled"
TEST: Final = "test"
UNKNOWN: Final = "unknown"
_WORD_TYPE: Final = "order_word"
_PREFIX: Final = "wc "


@lru_cache(maxsize=1)
def words() -> dict[str, str]:
    """Return what each word says; ValueError for a word on two lists."""
    text = (files("lakehouse.engine") / "order_words.csv").read_text("utf-8")
    says: dict[str, str] = {}
    for row in csv.DictReader(text.splitlines()):
        for word in row["words"].split("|"):
            if word in says:
                raise ValueError(f"order_words.csv: {word} is {says[word]} and {row['says']}")
            says[word] = row["says"]
    return says


def type_sql() -> str:
    """Return the statement that makes the type of the words, which `order_state_sql` needs."""
    return f"CREATE OR REPLACE TYPE {_WORD_TYPE} AS ENUM ({', '.join(map(literal, words()))})"


def order_state_sql(text: str) -> str:
    """Return the SQL of what a text says: one of the lists' names, `unknown` for another word, null for none.

    An ENUM finds a word by its hash and numbers it; the lists' letters stand one behind the other, as the words do.
    """
    names = list(dict.fromkeys(words().values()))
    letters = "".join(_letter(names.index(says)) for says in words().values())
    written = f"replace(replace(lower(trim({text})), '_', ' '), '-', ' ')"
    short = f"{written}[{len(_PREFIX) + 1}:]"
    word = f"CASE WHEN {written}[:{len(_PREFIX)}] = {literal(_PREFIX)} THEN {short} ELSE {written} END"
    letter = f"substr({literal(letters)}, enum_code(TRY_CAST({word} AS {_WORD_TYPE})) + 1, 1)"
    known = f"{literals(names)}[unicode({letter}) - {ord(_letter(0)) - 1}]"  # a CASE would repeat it for each name
    return f"coalesce({known}, CASE WHEN trim({text}) <> '' THEN {literal(UNKNOWN)} END)"


def _letter(position: int) -> str:
    return chr(ord("a") + position)
