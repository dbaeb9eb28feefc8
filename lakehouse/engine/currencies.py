"""Currencies as people write them: by ISO 4217's code in any case, by name or sign; `currencies.csv` has them.

A sign of several currencies is none: `$` may be of Hong Kong, `kr` of Norway. `¥` is yuan, and yen where a source is in
Japan's time. What is not known stays as it is written, in capitals: `$` and `$` are the same, and neither is USD.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files
from typing import Final

from lakehouse.engine.escape import literal

_NAME_TYPE: Final = "currency_name"
_LETTERS: Final = 3  # letters of a code
_YEN_ZONES: Final = ("Asia/Tokyo", "Japan")
_YEN_OR_YUAN: Final = ("¥", "￥")


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
    signs = ", ".join(map(literal, _YEN_OR_YUAN))
    return f"CASE WHEN trim({cell}) IN ({signs}) THEN 'JPY' ELSE {code} END"
