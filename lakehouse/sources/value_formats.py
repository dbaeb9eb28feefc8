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
    """Return the SQL of a text that a pattern takes apart as a whole and a replacement puts together; else null."""
    whole = literal(f"^{pattern}$")
    return f"CASE WHEN regexp_matches({text}, {whole}) THEN regexp_replace({text}, {whole}, {literal(replacement)}) END"


def _moment(year: int, month: int, day: int, years: str = r"\d{4}") -> Callable[[str], str]:
    """Return a rule for year, month and day at these places, with any of - / . between, and a time behind."""
    parts = {year: f"({years})", month: r"(\d{1,2})", day: r"(\d{1,2})"}
    pattern = "[-/.]".join(parts[place] for place in (1, 2, 3)) + _TIME
    century = "" if years == r"\d{4}" else "20"
    put = rf"{century}\{year}-\{month}-\{day} \4"  # a group's number is its place
    return lambda text: f"rtrim({_matched(text, pattern, put)})"


def _either(*rules: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: f"coalesce({', '.join(rule(text) for rule in rules)})"


def _compact(text: str) -> str:
    """Digits alone: a day, with the time behind it, with a fraction of the second behind that."""
    day, time = r"(\d{4})(\d{2})(\d{2})", r"[ T]?(\d{2})(\d{2})(\d{2})"
    put = r"\1-\2-\3 \4:\5:\6"
    return _either(
        lambda found: _matched(found, day, r"\1-\2-\3"),
        lambda found: _matched(found, day + time, put),
        lambda found: _matched(found, day + time + r"\.?(\d{1,6})", put + r".\7"),
    )(text)


def _offset(text: str) -> str:
    """2026-01-05 08:30:00 -0500: a space before the distance from UTC, which may be hours alone."""
    return _matched(
        text, r"(\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(?:\.\d+)?) ([+-]\d{2}(?::?\d{2})?)", r"\1\2"
    )


def _excel(text: str) -> str:
    """Days since 1899-12-30, whole or with a fraction for the time; from 1900-03-01 on, where Excel counts right."""
    days = f"TRY_CAST({text} AS DOUBLE)"
    moment = f"TIMESTAMP '1899-12-30' + to_milliseconds(CAST(round({days} * 86400000) AS BIGINT))"
    form = f"regexp_matches({text}, {literal(_SERIAL)})"
    return f"CASE WHEN {form} AND {days} BETWEEN 61 AND 2958465 THEN CAST({moment} AS VARCHAR) END"


def _chinese(text: str) -> str:
    """二〇二六年一月五日 and 2026年1月5日, with a time behind or none."""
    found = f"translate(replace({text}, ' ', ''), {literal(_DIGITS[0])}, {literal(_DIGITS[1])})"
    for ten, meant in ((r"(\d)十(\d)", r"\1\2"), (r"(\d)十", r"\1" + "0"), (r"十(\d)", r"1\1"), ("十", "10")):
        found = f"regexp_replace({found}, {literal(ten)}, {literal(meant)}, 'g')"
    return f"rtrim({_matched(found, _CHINESE, _YMD)})"


def _amount(thousands: str, point: str) -> Callable[[str], str]:
    """Return a rule for amounts with a currency's sign or code before or behind, grouped, negative in brackets too."""
    group, dot = (f"\\{mark}" if mark in ".," else mark for mark in (thousands, point))
    number = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)(?:{dot}\d+)?"
    form = literal(rf"^(?:[-+]?{number}|\({number}\))$")

    def rule(text: str) -> str:
        bare = f"regexp_replace({text}, {literal(_MONEY_SIGNS)}, '', 'g')"
        plain = f"replace(replace({bare}, {literal(thousands)}, ''), {literal(point)}, '.')"
        signed = f"CASE WHEN starts_with({plain}, '(') THEN '-' || {plain}[2:-2] ELSE {plain} END"
        return f"CASE WHEN regexp_matches({bare}, {form}) THEN {signed} END"

    return rule


def _unrounded(text: str) -> str:
    """Return the SQL of a text without what keeps a spreadsheet from rounding it; null where one has: 1.38E+10.

    That is an apostrophe or a tab before it, ="..." around it; and .0 behind, which programs add to whole numbers.
    """
    bare = f"trim(regexp_replace({text}, '^=\"(.*)\"$', '\\1'), {literal(_GUARDS)})"
    whole = f"regexp_replace({bare}, '^([+]?[0-9]{{6,}})[.]0+$', '\\1')"
    return f"CASE WHEN NOT regexp_full_match({bare}, {literal(_SCIENTIFIC)}, 'i') THEN {whole} END"


def _words(yes: tuple[str, ...], no: tuple[str, ...]) -> Callable[[str], str]:
    def rule(text: str) -> str:
        listed = ["(" + ", ".join(map(literal, words)) + ")" for words in (yes, no)]
        return f"CASE WHEN lower({text}) IN {listed[0]} THEN 'true' WHEN lower({text}) IN {listed[1]} THEN 'false' END"

    return rule


MOMENTS = ("date", "timestamptz")
AMOUNTS = ("decimal", "double")
TEXTS = ("string",)
ALONE = (*AMOUNTS, *TEXTS)  # read by their formats or not at all
_ONE_OF = (
    {"dmy", "mdy"},
    {"amount", "amount_comma"},
    {"phone", "id"},
)  # what reads the same text in two ways
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
    fitting = [name for name, found in VALUE_FORMATS.items() if base in found.types]
    if unknown := [name for name in formats if name not in fitting]:
        raise ValueError(
            f"no formats of {base}: {', '.join(unknown)}; there are {', '.join(fitting) or 'none'}"
        )
    for pair in _ONE_OF:
        if pair <= set(formats):
            raise ValueError(f"{' and '.join(sorted(pair))} read the same text in two ways: name one")
