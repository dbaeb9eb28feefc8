"""Numbers, amounts of money, yes and no, as people and programs write them.

A format is named by an example that says nothing of the value: `1,234.56`, `¥1,234.56`, `(123.45)`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from lakehouse.sources.value_formats import CURRENCY_CODES

_INT_MAX: Final = 2**31 - 1
_LONG_MAX: Final = 2**63 - 1
_DECIMAL_DIGITS: Final = 38  # the most that a decimal holds
# A format shows what stands beside a number, which must not come from a customer: so only these are read.
_SYMBOLS = rf"[$€£¥₩₹₽]|(?:US|HK|NT|A|C|S)\$|R\$|RMB|{CURRENCY_CODES}|人民币"
_UNITS = rf"[$€£¥₩₹₽]|RMB|{CURRENCY_CODES}|元|圆|块|万元|亿元|万|亿|人民币|美元|欧元|港币|日元|kr|zł"
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?|[+-]?\.\d+", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+", re.ASCII)
_DECORATED = re.compile(
    rf"(?P<open>\()?(?P<sign>[+−-]?)\s*(?P<before>{_SYMBOLS})?\s*(?P<inner>[+−-]?)"
    rf"(?P<number>\d[\d.,'  ]*\d|\d)\s*(?P<after>{_UNITS}|%)?(?P<close>\))?",
    re.ASCII,
)
_FORMATS = (  # pattern, example, what separates decimals
    (re.compile(r"\d{1,3}(?:,\d{3})+"), "1,234", ""),
    (re.compile(r"\d{1,3}(?:,\d{3})+\.\d+"), "1,234.56", "."),
    (re.compile(r"\d{1,3}(?:,\d{2})*,\d{3}(?:\.\d+)?"), "1,23,456.78", "."),
    (re.compile(r"\d{1,3}(?:\.\d{3})+,\d+"), "1.234,56", ","),
    (re.compile(r"\d{1,3}(?:\.\d{3}){2,}"), "1.234.567", ""),
    (re.compile(r"\d{1,3}(?:[ ']\d{3})+"), "1 234", ""),
    (re.compile(r"\d{1,3}(?:[ ']\d{3})+,\d+"), "1 234,56", ","),
    (re.compile(r"\d{1,3}(?:[ ']\d{3})+\.\d+"), "1 234.56", "."),
    (re.compile(r"\d+"), "1234", ""),
    (re.compile(r"\d+\.\d+"), "1234.56", "."),
    (re.compile(r"\d+,\d+"), "1234,56", ","),
)
_YES_NO = (
    "true/false",
    "yes/no",
    "y/n",
    "t/f",
    "on/off",
    "是/否",
    "有/无",
    "对/错",
    "真/假",
    "√/×",
    "ja/nein",
    "oui/non",
    "已/未",
    "开/关",
    "启用/禁用",
)
_PAIR_OF = {word: pair for pair in _YES_NO for word in pair.split("/")}


class Number(NamedTuple):
    """A number: its format, the narrowest type, its digits before and after the decimal point."""

    format: str
    type: str  # int, long, decimal, double
    integer_digits: int
    scale: int


def boolean(text: str) -> str | None:
    """Return the pair that a yes or no belongs to, like `yes/no` or `是/否`, else None. 1 and 0 are numbers."""
    return _PAIR_OF.get(text.strip().lower())


def number(text: str) -> Number | None:
    """Return how a number is written, None for other texts; so for leading zeros, which a number would lose."""
    if _PLAIN.fullmatch(text):
        return _plain(text)
    if _SCIENTIFIC.fullmatch(text):
        return Number("1.2E+3", "double", 0, 0)
    return _decorated(text)


def _plain(text: str) -> Number | None:
    integer, _, fraction = text.lstrip("+-").partition(".")
    if len(integer) > 1 and integer.startswith("0"):
        return None
    if fraction:
        return Number("1234.56", "decimal", len(integer), len(fraction))
    return Number("1234", _integer_type(integer), len(integer), 0)


def _integer_type(digits: str) -> str:
    if len(digits) > _DECIMAL_DIGITS:
        return "double"
    if int(digits) <= _INT_MAX:
        return "int"
    return "long" if int(digits) <= _LONG_MAX else "decimal"


def _decorated(text: str) -> Number | None:
    """Return a number with a currency, a unit, separators, a per cent sign, or parentheses for below zero."""
    match = _DECORATED.fullmatch(unicodedata.normalize("NFKC", text.strip()).replace("−", "-"))
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    written = match["number"]
    digits = re.sub(r"\D", "", written)
    if len(digits) > 1 and digits.startswith("0") and written[1].isdigit():  # leading zeros
        return None
    for pattern, example, decimal_mark in _FORMATS:
        if pattern.fullmatch(written):
            scale = len(written.partition(decimal_mark)[2]) if decimal_mark else 0
            return Number(_decorate(example, match), "decimal", len(digits) - scale, scale)
    return None


def _decorate(example: str, match: re.Match[str]) -> str:
    """Return the example with what stands around the number; words and € stand apart, as they usually do."""
    before, after = match["before"] or "", match["after"] or ""
    if before.isalpha() and before.isascii():
        before += " "
    if after == "€" or (after.isascii() and after.isalpha()):
        after = f" {after}"
    text = f"{before}{example}{after}"
    if match["open"]:
        return f"({text})"
    return f"-{text}" if "-" in (match["sign"], match["inner"]) else text
