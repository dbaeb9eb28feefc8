"""SQL that compares the currency which an amount names with that of its row, and lets an empty one be taken from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lakehouse.engine import currencies
from lakehouse.engine.escape import identifier, literal
from lakehouse.ingest.reading.scan_sql import RowFault
from lakehouse.sources.value_formats import MONEY_SIGN, half_width_sql

if TYPE_CHECKING:
    from lakehouse.sources.money_columns import MoneyColumn

OTHER_CURRENCY = "other_currency"  # the code of a row of which an amount names another currency


def named_name(column: str) -> str:
    """Return the name of the column that holds the codes which the amounts of a column may be in."""
    return identifier(f"_c_{column}")


def with_currencies_sql(rows: str, money: Sequence[MoneyColumn], texts: Mapping[str, str], zone: str) -> str:
    """Return the SELECT of the rows of a query with what their amounts name, and empty currencies taken from that.

    `texts` holds by column of money the SQL of its text. The codes that an amount may be in are in `named_name`.
    """
    named = (f"{_named_sql(text)} AS {named_name(name)}" for name, text in texts.items())
    with_names = f"SELECT *, {', '.join(named)} FROM {rows}"
    taken: dict[str, list[str]] = {}
    for each in money:
        if each.currency_column is not None:
            taken.setdefault(each.currency_column, []).append(_taken_sql(each, texts[each.name], zone))
    if not taken:
        return with_names
    filled = (
        f"coalesce({', '.join([identifier(name), *values])}) AS {identifier(name)}"
        for name, values in taken.items()
    )
    return f"SELECT * REPLACE ({', '.join(filled)}) FROM ({with_names})"


def _taken_sql(money: MoneyColumn, text: str, zone: str) -> str:
    """Return the SQL of the currency that an amount names, null where there is none, or the mapping's agrees anyway."""
    named = named_name(money.name)
    sign = f"regexp_extract({half_width_sql(text)}, {literal(MONEY_SIGN)})"
    return (
        f"CASE WHEN len({named}) > 0 AND NOT {_agrees_sql(money, zone, named)} "
        f"THEN CASE WHEN len({named}) = 1 THEN {named}[1] ELSE {sign} END END"
    )


def _named_sql(text: str) -> str:
    return currencies.named_sql(half_width_sql(text), MONEY_SIGN)


def _agrees_sql(money: MoneyColumn, zone: str, named: str) -> str:
    currency = currencies.in_zone_sql(f"CAST(({money.currency_sql}) AS VARCHAR)", zone)
    return currencies.agrees_sql(currency, named)


def agrees_or_names_none_sql(money: MoneyColumn, zone: str, text: str) -> str:
    """Return the condition that an amount's text names no currency, or its row's."""
    return f"NOT ({_is_other_sql(money, zone, _named_sql(text))})"


def _is_other_sql(money: MoneyColumn, zone: str, named: str) -> str:
    is_other = f"{named} IS NOT NULL AND NOT {_agrees_sql(money, zone, named)}"
    return is_other if money.where is None else f"{is_other} AND coalesce(({money.where}), true)"


def currency_faults(
    money: Sequence[MoneyColumn], origins: Mapping[str, str], zone: str
) -> Iterator[RowFault]:
    """Yield what is wrong with an amount that names another currency than its row; `origins` are its names in files."""
    for each in money:
        says = "its row says another" if each.currency_column else "the mapping gives another, or none"
        reason = f"{origins[each.name]} names a currency, and {says}: correct the file, or map `currency`"
        yield RowFault(OTHER_CURRENCY, reason, _is_other_sql(each, zone, named_name(each.name)))
