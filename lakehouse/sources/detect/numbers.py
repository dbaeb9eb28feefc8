"""Numbers, amounts of money, yes and no, as people and programs write them.

A format is named by an example that says nothing of the value: `1,234.56`, `¥1,234.56`, `(123.45)`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_INT, _LONG = 2**31 - 1, 2**63 - 1
# None but these: what stands beside a number is shown, and must not be a customer's.
_CODES = "USD|EUR|GBP|CNY|CNH|JPY|HKD|TWD|MOP|SGD|KRW|INR|AUD|NZD|CAD|CHF|SEK|NOK|DKK|PLN|CZK|HUF|RUB|TRY|BRL|MXN|THB"
_SYMBOLS = rf"[$€£¥₩₹₽]|(?:US|HK|NT|A|C|S)\$|R\$|RMB|{_CODES}|人民币"
_UNITS = rf"[$€£¥₩₹₽]|RMB|{_CODES}|元|圆|块|万元|亿元|万|亿|人民币|美元|欧元|港币|日元|kr|zł"
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?|[+-]?\.\d+", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+", re.ASCII)
_DRESSED = re.compile(
    rf"(?P<open>\()?(?P<sign>[+−-]?)\s*(?P<before>{_SYMBOLS})?\s*(?P<inner>[+−-]?)"
    rf"(?P<number>\d[\d.,'  ]*\d|\d)\s*(?P<after>{_UNITS}|%)?(?P<close>\))?",
    re.ASCII,
)
_SHAPES = (  # pattern, example, what separates decimals
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
    *(
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
    ),
    *("已/未", "开/关", "启用/禁用"),
)
_SPELLED = {word: pair for pair in _YES_NO for word in pair.split("/")}


class Number(NamedTuple):
    """A number: its format, the narrowest type, its digits before and after the decimal point."""

    format: str
    type: str  # int, long, decimal, double
    whole: int
    scale: int


def boolean(text: str) -> str | None:
    """Return the pair that a yes or no belongs to, like `yes/no` or `是/否`; None for none. 1 and 0 are numbers."""
    return _SPELLED.get(text.strip().lower())


def number(text: str) -> Number | None:
    """Return how a number is written; None for none, also for digits with leading zeros, which a number would lose."""
    if _PLAIN.fullmatch(text):
        return _plain(text)
    if _SCIENTIFIC.fullmatch(text):
        return Number("1.2E+3", "double", 0, 0)
    return _dressed(text)


def _plain(text: str) -> Number | None:
    whole, _, fraction = text.lstrip("+-").partition(".")
    if len(whole) > 1 and whole.startswith("0"):
        return None
    if fraction:
        return Number("1234.56", "decimal", len(whole), len(fraction))
    return Number("1234", _whole_type(whole), len(whole), 0)


def _whole_type(digits: str) -> str:
    if len(digits) > 38:  # noqa: PLR2004 - what a decimal holds
        return "double"
    return "int" if int(digits) <= _INT else "long" if int(digits) <= _LONG else "decimal"


def _dressed(text: str) -> Number | None:
    """Return a number with a currency, a unit, separators, a per cent sign, or parentheses for below zero."""
    found = _DRESSED.fullmatch(unicodedata.normalize("NFKC", text.strip()).replace("−", "-"))
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    digits = found["number"]
    shape = next(((example, mark) for pattern, example, mark in _SHAPES if pattern.fullmatch(digits)), None)
    plain = re.sub(r"\D", "", digits)
    padded = len(plain) > 1 and plain.startswith("0") and digits[1].isdigit()
    if shape is None or padded:
        return None
    example, mark = shape
    scale = len(digits.rpartition(mark)[2]) if mark else 0
    return Number(_shown(found, example), "decimal", len(plain) - scale, scale)


def _shown(found: re.Match[str], example: str) -> str:
    """Return the example dressed as the number is; words and € stand apart, as where they are usual."""
    before, after = found["before"] or "", found["after"] or ""
    apart = after == "€" or (after.isascii() and after.isalpha())
    shown = f"{before}{' ' if before.isalpha() and before.isascii() else ''}{example}{' ' if apart else ''}{after}"
    if found["open"]:
        return f"({shown})"
    return f"-{shown}" if "-" in (found["sign"], found["inner"]) else shown
