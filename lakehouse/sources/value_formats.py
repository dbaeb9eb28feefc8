"""How values may be written: rules that a column names, each as SQL from a text to one that a plain cast reads.

A rule gives null for a text that is not of its form. What a column does not name is not tried: 5-1-26 is a day of
January in one country and of May in another, and a wrong date is worse than a row in quarantine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lakehouse.engine.escape import literal

_TIME = r"(?:[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?"
_CHINESE = r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]" + _TIME.replace("[ T]", "[ T]?")
_SERIAL = r"^\d{2,7}(\.\d+)?$"
_YMD = r"\1-\2-\3 \4"
_DIGITS = ("〇零○一二三四五六七八九两", "0001234567892")
_TENS = ((r"(\d)十(\d)", r"\1\2"), (r"(\d)十", r"\1" + "0"), (r"十(\d)", r"1\1"), ("十", "10"))
_GUARDS = " \t\r\n'\u00a0\u3000\u200b\ufeff"
_SCIENTIFIC = r"[-+]?[0-9]+([.,][0-9]+)?E[-+]?[0-9]+"
_MONEY_SIGNS = r"[$¥￥€£元圆\s\x{00a0}\x{202f}]|人民币|RMB|CNY|USD|EUR|GBP|HKD|TWD|JPY"


@dataclass(frozen=True)
class ValueFormat:
    """A way to write values of some types; `sql` turns the SQL of a text into that of a text for a plain cast."""

    types: tuple[str, ...]
    doc: str
    sql: Callable[[str], str]


def _matched(text: str, pattern: str, replacement: str) -> str:
    """Return the SQL of a text that fits a pattern from end to end, with the replacement; null where it does not."""
    anchored = literal(f"^{pattern}$")
    replaced = f"regexp_replace({text}, {anchored}, {literal(replacement)})"
    return f"CASE WHEN regexp_matches({text}, {anchored}) THEN {replaced} END"


def _moment(year: int, month: int, day: int, years: str = r"\d{4}") -> Callable[[str], str]:
    """Return a rule for year, month and day at these positions from 1, any of - / . between, and a time behind."""
    patterns = {year: f"({years})", month: r"(\d{1,2})", day: r"(\d{1,2})"}
    pattern = "[-/.]".join(patterns[position] for position in sorted(patterns)) + _TIME
    century = "" if years == r"\d{4}" else "20"
    replacement = rf"{century}\{year}-\{month}-\{day} \4"  # a group's number is its position
    return lambda text: f"rtrim({_matched(text, pattern, replacement)})"


def _either(*rules: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: f"coalesce({', '.join(rule(text) for rule in rules)})"


def _compact(text: str) -> str:
    """Digits alone: a day, with the time behind it, with a fraction of the second behind that."""
    day, time = r"(\d{4})(\d{2})(\d{2})", r"[ T]?(\d{2})(\d{2})(\d{2})"
    seconds = r"\1-\2-\3 \4:\5:\6"
    alternatives = (
        _matched(text, day, r"\1-\2-\3"),
        _matched(text, day + time, seconds),
        _matched(text, day + time + r"\.?(\d{1,6})", seconds + r".\7"),
    )
    return f"coalesce({', '.join(alternatives)})"


def _offset(text: str) -> str:
    """2026-01-05 08:30:00 -0500: a space before the distance from UTC, which may be hours alone."""
    return _matched(
        text, r"(\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(?:\.\d+)?) ([+-]\d{2}(?::?\d{2})?)", r"\1\2"
    )


def _excel(text: str) -> str:
    """Days since 1899-12-30, whole or with a fraction for the time; from 1900-03-01 on, where Excel counts right."""
    days = f"TRY_CAST({text} AS DOUBLE)"
    moment = f"TIMESTAMP '1899-12-30' + to_milliseconds(CAST(round({days} * 86400000) AS BIGINT))"
    is_number = f"regexp_matches({text}, {literal(_SERIAL)})"
    return f"CASE WHEN {is_number} AND {days} BETWEEN 61 AND 2958465 THEN CAST({moment} AS VARCHAR) END"


def _chinese(text: str) -> str:
    """二〇二六年一月五日 and 2026年1月5日, with a time behind or none."""
    digits = f"translate(replace({text}, ' ', ''), {literal(_DIGITS[0])}, {literal(_DIGITS[1])})"
    for ten, replacement in _TENS:
        digits = f"regexp_replace({digits}, {literal(ten)}, {literal(replacement)}, 'g')"
    return f"rtrim({_matched(digits, _CHINESE, _YMD)})"


def _amount(thousands: str, point: str) -> Callable[[str], str]:
    """Return a rule for amounts with a currency's sign or code before or behind, grouped, negative in brackets too."""
    group, dot = (f"\\{mark}" if mark in ".," else mark for mark in (thousands, point))
    number = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)(?:{dot}\d+)?"
    is_amount = literal(rf"^(?:[-+]?{number}|\({number}\))$")

    def rule(text: str) -> str:
        bare = f"regexp_replace({text}, {literal(_MONEY_SIGNS)}, '', 'g')"
        plain = f"replace(replace({bare}, {literal(thousands)}, ''), {literal(point)}, '.')"
        signed = f"CASE WHEN starts_with({plain}, '(') THEN '-' || {plain}[2:-2] ELSE {plain} END"
        return f"CASE WHEN regexp_matches({bare}, {is_amount}) THEN {signed} END"

    return rule


def _unrounded(text: str) -> str:
    """Return the SQL of a text without what keeps a spreadsheet from rounding it; null where one has: 1.38E+10.

    That is an apostrophe or a tab before it, ="..." around it; and .0 behind, which programs add to whole numbers.
    """
    bare = f"trim(regexp_replace({text}, '^=\"(.*)\"$', '\\1'), {literal(_GUARDS)})"
    without_fraction = f"regexp_replace({bare}, '^([+]?[0-9]{{6,}})[.]0+$', '\\1')"
    is_rounded = f"regexp_full_match({bare}, {literal(_SCIENTIFIC)}, 'i')"
    return f"CASE WHEN NOT {is_rounded} THEN {without_fraction} END"


def _words(yes: tuple[str, ...], no: tuple[str, ...]) -> Callable[[str], str]:
    def rule(text: str) -> str:
        yes_words, no_words = (", ".join(map(literal, words)) for words in (yes, no))
        is_yes, is_no = f"lower({text}) IN ({yes_words})", f"lower({text}) IN ({no_words})"
        return f"CASE WHEN {is_yes} THEN 'true' WHEN {is_no} THEN 'false' END"

    return rule


MOMENTS = ("date", "timestamptz")
AMOUNTS = ("decimal", "double")
TEXTS = ("string",)
ALONE = (*AMOUNTS, *TEXTS)  # read by their formats or not at all
_CONTRADICTING = (
    {"dmy", "mdy"},
    {"amount", "amount_comma"},
    {"phone", "id"},
)  # they read one text in two ways
VALUE_FORMATS: dict[str, ValueFormat] = {
    "ymd": ValueFormat(
        MOMENTS,
        "2026/1/5, 2026.1.5, 20260105, 20260105083000, with a time or none",
        _either(_moment(1, 2, 3), _compact),
    ),
    "dmy": ValueFormat(
        MOMENTS, "5-1-2026, 05/01/26: the day comes first", _either(_moment(3, 2, 1), _moment(3, 2, 1, r"\d{2}"))
    ),
    "mdy": ValueFormat(
        MOMENTS, "1/5/2026, 01-05-26: the month comes first", _either(_moment(3, 1, 2), _moment(3, 1, 2, r"\d{2}"))
    ),
    "excel": ValueFormat(MOMENTS, "46027: the number that Excel keeps for a date", _excel),
    "offset": ValueFormat(("timestamptz",), "2026-01-05 08:30:00 -0500: a space before the zone", _offset),
    "chinese": ValueFormat(MOMENTS, "二〇二六年一月五日, 2026年1月5日", _chinese),
    "amount": ValueFormat(AMOUNTS, "¥1,299.00, 1299元, USD 5, (120.00)", _amount(",", ".")),
    "amount_comma": ValueFormat(AMOUNTS, "1.299,00 €, -5,50: a comma before the cents", _amount(".", ",")),
    "yes_no": ValueFormat(
        ("boolean",),
        "是 否, on off, x and √ ✓ ×, 有 无, 真 假, besides what a plain cast reads: true, yes, y, 1",
        _words(("是", "on", "√", "✓", "有", "真", "對", "对"), ("否", "off", "×", "✗", "x", "无", "無", "假", "错")),
    ),
    "phone": ValueFormat(
        TEXTS, "a phone as typed, but for what a spreadsheet has rounded: 1.38E+10 (`bad_phone`)", _unrounded
    ),
    "id": ValueFormat(
        TEXTS, "an id of digits, but for what a spreadsheet has rounded: 7.12E+18 (`bad_id`)", _unrounded
    ),
}  # fmt: skip


def check(kind: str, formats: tuple[str, ...]) -> None:
    """Raise ValueError for formats in which a value of a type cannot be written, or that contradict one another."""
    base = kind.partition("(")[0]
    fitting = [name for name, value_format in VALUE_FORMATS.items() if base in value_format.types]
    if unknown := [name for name in formats if name not in fitting]:
        raise ValueError(
            f"no formats of {base}: {', '.join(unknown)}; there are {', '.join(fitting) or 'none'}"
        )
    for pair in _CONTRADICTING:
        if pair <= set(formats):
            raise ValueError(f"{' and '.join(sorted(pair))} read the same text in two ways: name one")
