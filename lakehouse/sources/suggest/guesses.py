"""What a draft guesses of the whole file: its key, its time zone, its currency; and why, where a person must look."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakehouse.sources.mappable_entities import ENTITIES, record_key
from lakehouse.sources.suggest.draft_columns import DraftColumn
from lakehouse.sources.suggest.evidence import FileColumn
from lakehouse.sources.suggest.words import bracket_text
from lakehouse.tables import entities

_ZONED = re.compile(r"(?:Z|±zz)$|^epoch")
_YUAN_OR_YEN = ("¥", "￥")
_CURRENCY_OF_SIGN = {
    "€": "EUR",
    "£": "GBP",
    "元": "CNY",
    "圆": "CNY",
    "RMB": "CNY",
    "人民币": "CNY",
}
_CURRENCIES = (
    "CNY",
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "HKD",
    "TWD",
    "CHF",
    "CAD",
    "AUD",
    "SGD",
    "SEK",
    "NOK",
    "DKK",
    "INR",
)


@dataclass(frozen=True)
class Guess:
    """A value of the draft, and why; `sure` is False for what a person must look at."""

    value: str
    why: str = ""
    sure: bool = True


def guess_key(
    entity: str,
    columns: Sequence[FileColumn],
    drafted: Sequence[DraftColumn],
    by_core: Mapping[str, Sequence[DraftColumn]],
) -> Guess:
    """Return the columns that name a record, with commas; empty where nothing does."""
    key = [name for name in record_key(entities.BY_NAME[entity]) if name != "source"]
    if all(name in by_core for name in key):
        return Guess(", ".join(by_core[name][0].name for name in key))
    for column, draft_column in zip(columns, drafted, strict=True):
        if column.key and not draft_column.pii and draft_column.type in ("string", "long"):
            return Guess(draft_column.name, "every row has a value of its own there", sure=False)
    return Guess("", "no column has another value in every row", sure=False)


def guess_time_zone(columns: Sequence[FileColumn], drafted: Sequence[DraftColumn], *, chinese: bool) -> Guess:
    """Return the zone of times that say none; `chinese`: so are the headers."""
    without_zone = [
        draft_column
        for column, draft_column in zip(columns, drafted, strict=True)
        if draft_column.type in ("timestamptz", "date") and not _has_zone(column)
    ]
    if not without_zone:
        return Guess("UTC")
    if chinese:
        return Guess("Asia/Shanghai", "times have no zone, and the headers are Chinese", sure=False)
    why = "times have no zone: write the one they are meant in, such as Europe/Oslo"
    return Guess("UTC", why, sure=False)


def _has_zone(column: FileColumn) -> bool:
    formats = column.description.formats
    return bool(formats) and all(_ZONED.search(name) for name in formats)


def guess_currency(
    entity: str, columns: Sequence[FileColumn], drafted: Sequence[DraftColumn], *, chinese: bool
) -> Guess | None:
    """Return what money is in as SQL, from its signs and headers; None where there is no money."""
    money = _money_columns(entity, columns, drafted)
    if not money or "currency" not in ENTITIES[entity]:
        return None
    written = " ".join(map(_written, money))
    named = _named_currencies(written)
    if len(named) == 1:
        return Guess(f"'{named.pop()}'", "medium; amounts or headers name it")
    if not named and chinese and any(sign in written for sign in _YUAN_OR_YEN):
        return Guess("'CNY'", "medium; amounts are written with ¥, and the headers are Chinese")
    likely = "'CNY'" if chinese else "'USD'"
    return Guess(likely, "no column and no sign says which currency it is: write it", sure=False)


def _money_columns(
    entity: str, columns: Sequence[FileColumn], drafted: Sequence[DraftColumn]
) -> list[FileColumn]:
    """Return the columns that core gets money from."""
    return [
        column
        for column, draft_column in zip(columns, drafted, strict=True)
        if draft_column.is_mapped and _is_money(entity, draft_column.core)
    ]


def _written(column: FileColumn) -> str:
    """Return where a currency may stand: the brackets of the header, and how values are written."""
    return " ".join((bracket_text(column.header), *column.description.formats))


def _named_currencies(written: str) -> set[str]:
    """Return the currencies whose code or sign a text has; a dollar or a yen sign is that of several."""
    codes = {code for code in _CURRENCIES if code in written}
    return codes | {code for sign, code in _CURRENCY_OF_SIGN.items() if sign in written}


def _is_money(entity: str, core: str) -> bool:
    columns = entities.BY_NAME[entity].columns
    core_type = next((column.type for column in columns if column.name == core), "")
    return core_type.startswith("decimal") and "quantity" not in core
