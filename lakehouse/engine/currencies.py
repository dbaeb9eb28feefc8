"""Currencies as people write them: by ISO 4217's code in any case, by name or sign; `currencies.csv` has them.

A sign of several currencies is none: `$` may be of Hong Kong, `kr` of Norway. `¥` is yuan, and yen where a source is in
Japan's time. What is not known stays as it is written, in capitals: `$` and `$` are the same, and neither is USD.

Beside an amount a sign may mean several: `currency_signs.csv` has them, so that `$5` agrees with a row that says HKD
and not with one that says EUR.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files
from typing import Final

from lakehouse.engine.escape import literal, literals

_NAME_TYPE: Final = "currency_name"
_LETTERS: Final = 3  # letters of a code
_YEN_ZONES: Final = ("Asia/Tokyo", "Japan")
_YEN_OR_YUAN: Final = ("¥", "￥")
_BARE_AMOUNT: Final = "[-+0-9.,() ]*"


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """Return by a currency's code, name or sign, in lower case, its code; ValueError for a name of two."""
    text = (files("lakehouse.engine") / "currencies.csv").read_text("utf-8")
    codes: dict[str, str] = {}
    for row in csv.DictReader(text.splitlines()):
        code = row["alpha_3"]
        for name in (code.lower(), *filter(None, row["words"].split("|"))):
            if codes.setdefault(name, code) != code:
                raise ValueError(f"currencies.csv: {name} is {codes[name]} and {code}")
    return codes


@lru_cache(maxsize=1)
def signs() -> dict[str, tuple[str, ...]]:
    """Return by a sign of several currencies, in lower case, their codes, the commonest first."""
    text = (files("lakehouse.engine") / "currency_signs.csv").read_text("utf-8")
    return {row["sign"]: tuple(row["codes"].split("|")) for row in csv.DictReader(text.splitlines())}


def type_sql() -> str:
    """Return the statement that makes the type of the names, which `currency_code_sql` needs."""
    return f"CREATE OR REPLACE TYPE {_NAME_TYPE} AS ENUM ({', '.join(map(literal, names()))})"


def currency_code_sql(text: str) -> str:
    """Return the SQL of the code of a currency; of what is none, the text in capitals; null for an empty one."""
    codes = literal("".join(names().values()))
    number = f"enum_code(TRY_CAST(lower(trim({text})) AS {_NAME_TYPE}))"
    return (
        f"coalesce(substr({codes}, {_LETTERS} * {number} + 1, {_LETTERS}), nullif(upper(trim({text})), ''))"
    )


def in_zone_sql(cell: str, zone: str) -> str:
    """Return the SQL of the code of a currency as a source in a zone writes it."""
    code = f"currency_code({cell})"
    if zone not in _YEN_ZONES:
        return code
    return f"CASE WHEN trim({cell}) IN {literals([*_YEN_OR_YUAN])} THEN 'JPY' ELSE {code} END"


def meant_sql(written: str) -> str:
    """Return the SQL of the list of codes that a currency may be, as it is written; of a name that is none, itself."""
    cases = (f"WHEN {literal(sign)} THEN {literals(list(codes))}" for sign, codes in signs().items())
    return f"CASE lower(trim({written})) {' '.join(cases)} ELSE [currency_code({written})] END"


def named_sql(text: str, sign_pattern: str) -> str:
    """Return the SQL of the codes that an amount's text may name; null where it names none, none where two contradict.

    `sign_pattern` is that of one sign. A text of digits alone, as nearly all are, is not searched.
    """
    found = f"regexp_extract_all({text}, {literal(sign_pattern)})"
    meanings = f"list_transform({found}, lambda sign: {meant_sql('sign')})"
    common = f"list_reduce({meanings}, lambda codes, others: list_intersect(codes, others))"
    is_bare = f"regexp_full_match({text}, {literal(_BARE_AMOUNT)})"
    return f"CASE WHEN {is_bare} THEN NULL WHEN len({found}) > 0 THEN {common} END"


def agrees_sql(currency: str, named: str) -> str:
    """Return the condition that a currency as it is written may be one of the codes in a list; false for none."""
    return f"coalesce(list_has_any({meant_sql(currency)}, {named}), false)"
