"""How values may be written: rules that a column names, each as SQL from a text to one that a plain cast reads.

A rule gives null for a text that is not of its form. What a column does not name is not tried: 5-1-26 is a day of
January in one country and of May in another, and a wrong date is worse than a row in quarantine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lakehouse.engine import consent_words, ids, moments
from lakehouse.engine.escape import literal, literals
from lakehouse.sources.policy import CenturyPolicy

_TIME = r"(?:[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?"
_HALF_DAY = r" ?(\d{1,2}:\d{2}(?::\d{2})?) ?([AaPp])[.]?[Mm][.]?"  # 8:30 PM
_CHINESE_HALF_DAY = r" ?(上午|下午) ?(\d{1,2}:\d{2}(?::\d{2})?)$"  # 下午8:30
_HALF_DAY_FORMATS = ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %I:%M %p")  # for strptime, which knows of no 13 PM
_MIDNIGHT = r"(?:[ T](00?:00(?::00(?:\.0+)?)?))?"  # the one time that a day may have behind it
_CHINESE = r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]"
# Days up to 2173, and the last one that there is, which stands for ever; of six digits are days written as 260105.
_SERIAL_DAYS = r"(?:\d{2,5}|2958465)"
_SERIAL = rf"{_SERIAL_DAYS}(\.\d+)?"
_WHOLE_SERIAL = rf"{_SERIAL_DAYS}(\.0+)?"
_YEAR = r"(?:19\d\d|20\d\d|2100)(\.0+)?"  # alone it is no day of 1905, which is what Excel's number of it is
_DATE = r"\1-\2-\3"
_YMD = rf"{_DATE} \4"
_DIGITS = ("〇零○一二三四五六七八九两", "0001234567892")
_TENS = ((r"(\d)十(\d)", r"\1\2"), (r"(\d)十", r"\1" + "0"), (r"十(\d)", r"1\1"), ("十", "10"))
_GUARDS = " \t\r\n'\u00a0\u3000\u200b\ufeff"
_SCIENTIFIC = r"[-+]?[0-9]+([.,][0-9]+)?E[-+]?[0-9]+"
CURRENCY_CODES: Final = (
    "USD|EUR|GBP|CNY|CNH|JPY|HKD|TWD|MOP|SGD|KRW"
    "|INR|AUD|NZD|CAD|CHF|SEK|NOK|DKK|PLN|CZK|HUF|RUB|TRY|BRL|MXN|THB"
)
MONEY_SIGN = (
    r"(?:(?:US|HK|NT|R|A|C|S)?[$]|[¥￥€£₩₹₽元圆]|人民币|RMB|[Rr]s[.]?|Fr[.]|[Kk]r[.]?|zł|Kč"
    rf"|{CURRENCY_CODES})"
)
_BLANK = r"[\s\x{a0}\x{2009}\x{202f}\x{3000}]"
_GROUP_MARKS = ("'", "’", " ", "\u00a0", "\u2009", "\u202f")  # beside the point or comma that a format names
# How people type digits beside Chinese text, and a minus as typesetters set it
_WIDE, _NARROW = "０１２３４５６７８９．，＋－（）−", "0123456789.,+-()-"


_DIGITS_OF_SECONDS: Final = 10  # of those since 1970, from 2001 to 2286
_MICROSECOND: Final = 6  # the power of ten
_SPARE_DIGITS: Final = 4  # of seconds from April 1970 to the year 9999: 8 to 12 digits

Rule = Callable[[str, bool], str]


@dataclass(frozen=True)
class ValueFormat:
    """A way to write values of some types; `sql` turns the SQL of a text into that of a text for a plain cast.

    It is None where a plain cast reads it already. Its second argument is whether a time may stand behind a day; else
    only midnight may. Other rules leave it alone. `of_value` makes the SQL of the value to be kept from that of the one
    that was read, a column's name. `moment` turns the SQL of a text, a column's name, into that of a TIMESTAMPTZ,
    whatever the zone of times without one is.
    """

    types: tuple[str, ...]
    doc: str
    sql: Rule | None
    of_value: Callable[[str], str] = str
    moment: Callable[[str], str] | None = None


def _matched(text: str, pattern: str, replacement: str) -> str:
    """Return the SQL of a text that fits a pattern from end to end, with the replacement; null where it does not."""
    anchored = literal(f"^{pattern}$")
    replaced = f"regexp_replace({text}, {anchored}, {literal(replacement)})"
    return f"CASE WHEN regexp_matches({text}, {anchored}) THEN {replaced} END"


def _moment(year: int, month: int, day: int, *, years: str = r"\d{4}", century: str = "") -> Rule:
    """Return a rule for year, month and day at these positions from 1, any of - / . between, and a time behind."""
    patterns = {year: f"({years})", month: r"(\d{1,2})", day: r"(\d{1,2})"}
    pattern = "[-/.]".join(patterns[position] for position in sorted(patterns))
    date = rf"{century}\{year}-\{month}-\{day}"  # a group's number is its position
    with_time = rf"{date} \4"

    def rule(text: str, timed: bool) -> str:
        plain = f"rtrim({_matched(text, pattern + _time(timed=timed), with_time)})"
        return f"coalesce({plain}, {_half_day(text, pattern, date)})" if timed else plain

    return rule


def _half_day(text: str, date_pattern: str, date: str) -> str:
    """Return the SQL of a text with a time of twelve hours as one of 24; `date` is made of its pattern's groups."""
    latin = f"regexp_replace({text}, {literal(_CHINESE_HALF_DAY)}, ' \\2 \\1')"
    latin = f"replace(replace({latin}, '上午', 'AM'), '下午', 'PM')"
    latin = f"CASE WHEN contains({text}, '午') THEN {latin} ELSE {text} END"
    written = _matched(latin, date_pattern + _HALF_DAY, rf"{date} \4 \5M")
    return f"CAST(try_strptime({written}, {literals(list(_HALF_DAY_FORMATS))}) AS VARCHAR)"


def _day_and_month_first(month: int, day: int) -> Rule:
    """Return a rule for moments that end with the year, which may have two digits only."""
    last = CenturyPolicy.last_short_year
    of_2000, of_1900 = (
        "|".join(f"{year:02}" for year in years) for years in (range(last + 1), range(last + 1, 100))
    )
    return _either(
        _moment(3, month, day),
        _moment(3, month, day, years=of_2000, century="20"),
        _moment(3, month, day, years=of_1900, century="19"),
    )


def _time(*, timed: bool) -> str:
    return _TIME if timed else _MIDNIGHT


def _either(*rules: Rule) -> Rule:
    return lambda text, timed: f"coalesce({', '.join(rule(text, timed) for rule in rules)})"


def _compact(text: str, timed: bool) -> str:
    """Digits alone: a day, with the time behind it, with a fraction of the second behind that."""
    day = r"(\d{4})(\d{2})(\d{2})"
    time = r"[ T]?(\d{2})(\d{2})(\d{2})" if timed else "[ T]?(00)(00)(00)"
    fraction = r"\.?(\d{1,6})" if timed else r"\.?(0{1,6})"
    seconds = r"\1-\2-\3 \4:\5:\6"
    alternatives = (
        _matched(text, day, r"\1-\2-\3"),
        _matched(text, day + time, seconds),
        _matched(text, day + time + fraction, seconds + r".\7"),
    )
    return f"coalesce({', '.join(alternatives)})"


def _plain_day(text: str, timed: bool) -> str:
    """2026-01-05 08:30: the day of a time, as it is written, in whatever zone that may be."""
    return _matched(text, f"({moments.DAY}){moments.TIME}(?:{moments.ZONE})?", r"\1") if timed else "NULL"


def _excel(text: str, timed: bool) -> str:
    """Days since 1899-12-30, whole or with a fraction for the time; from 1900-03-01 on, where Excel counts right.

    A whole number that is a year of our time is none: 1985 is rather when somebody was born than a day of 1905.
    """
    days = f"TRY_CAST({text} AS DOUBLE)"
    moment = f"TIMESTAMP '1899-12-30' + to_milliseconds(CAST(round({days} * 86400000) AS BIGINT))"
    is_number = f"regexp_full_match({text}, {literal(_SERIAL if timed else _WHOLE_SERIAL)})"
    is_year = f"regexp_full_match({text}, {literal(_YEAR)})"
    is_day = f"{is_number} AND NOT {is_year} AND {days} >= 61 AND {days} < 2958466"
    return f"CASE WHEN {is_day} THEN CAST({moment} AS VARCHAR) END"


def _chinese(text: str, timed: bool) -> str:
    """二〇二六年一月五日 and 2026年1月5日, with a time behind or none."""
    digits = f"translate(replace({text}, ' ', ''), {literal(_DIGITS[0])}, {literal(_DIGITS[1])})"
    for ten, replacement in _TENS:
        digits = f"regexp_replace({digits}, {literal(ten)}, {literal(replacement)}, 'g')"
    time = _time(timed=timed).replace("[ T]", "[ T]?")
    plain = f"rtrim({_matched(digits, _CHINESE + time, _YMD)})"
    return f"coalesce({plain}, {_half_day(digits, _CHINESE, _DATE)})" if timed else plain


def _since_1970(most_digits: int, unit: int) -> Callable[[str], str]:
    """Return a rule for numbers of units since 1970, of which a second has ten to the power of `unit`.

    One that has not nearly as many digits as those of our time is rather of another unit, or of none.
    """
    least_digits = most_digits - _SPARE_DIGITS
    is_number = literal(rf"-?[1-9][0-9]{{{least_digits - 1},{most_digits - 1}}}(?:[.][0-9]*)?")

    def rule(text: str) -> str:
        integer, fraction = (
            f"regexp_extract({text}, '{part}', 1)" for part in ("^(-?[0-9]+)", "[.]([0-9]*)$")
        )
        places = _MICROSECOND - unit
        microseconds = f"CAST({integer} || rpad(left({fraction}, {places}), {places}, '0') AS BIGINT)"
        return f"CASE WHEN regexp_full_match({text}, {is_number}) THEN make_timestamptz({microseconds}) END"

    return rule


def _by_digits(text: str) -> str:
    """Return the SQL of a moment from 2001 to 2286 as seconds, or thousandths, millionths, billionths of them."""
    digits = _DIGITS_OF_SECONDS + _MICROSECOND
    microseconds = f"CAST(rpad(left({text}, {digits}), {digits}, '0') AS BIGINT)"
    is_number = literal(rf"[1-9][0-9]{{{_DIGITS_OF_SECONDS - 1}}}(?:[0-9]{{3}}){{0,3}}")
    return f"CASE WHEN regexp_full_match({text}, {is_number}) THEN make_timestamptz({microseconds}) END"


def half_width_sql(text: str) -> str:
    """Return the SQL of an amount's text with full-width digits and signs as plain ones, where there may be some."""
    narrow = f"translate({text}, {literal(_WIDE)}, {literal(_NARROW)})"
    return f"CASE WHEN strlen({text}) > length({text}) THEN {narrow} ELSE {text} END"


def _amount(thousands: str, point: str) -> Rule:
    """Return a rule for amounts with a currency's sign or code before or behind, grouped, negative in brackets too.

    A sign within a number is none of it: 12€50 is no 1250, and 10 € 20 € are two amounts. So is a group behind a zero:
    0,500 is half of one, whatever the format says.
    """
    grouped = [rf"[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+" for mark in (thousands, *_GROUP_MARKS)]
    in_lakhs = [r"[1-9]\d?(?:,\d{2})+,\d{3}"] if thousands == "," else []  # 1,23,456 as in India
    number = rf"(?:{'|'.join([*grouped, *in_lakhs])}|\d+)(?:[{point}]\d+)?"
    sign = f"(?:{_BLANK}*{MONEY_SIGN})?{_BLANK}*"
    is_amount = literal(
        f"(?:{_BLANK}*[-+]?{sign}{number}{sign}|{sign}[-+]{_BLANK}*{number}{sign}"
        f"|{sign}{number}{sign}-{sign}"  # SAP writes a minus behind
        rf"|{sign}\({sign}{number}{sign}\){sign})"
    )
    digits = literal(r"\d(?:.*\d)?")
    others = literal(f"[^0-9{point}]")

    def rule(text: str, _timed: bool) -> str:
        plain = half_width_sql(text)
        bare = f"regexp_replace(regexp_extract({plain}, {digits}), {others}, '', 'g')"
        unsigned = f"replace({bare}, {literal(point)}, '.')"
        minus = f"CASE WHEN contains({plain}, '-') OR contains({plain}, '(') THEN '-' ELSE '' END"
        return f"CASE WHEN regexp_full_match({plain}, {is_amount}) THEN {minus} || {unsigned} END"

    return rule


def _unrounded(text: str, _timed: bool) -> str:
    """Return the SQL of a text without what keeps a spreadsheet from rounding it; null where one has: 1.38E+10.

    That is an apostrophe or a tab before it, ="..." around it; and .0 behind, which programs add to whole numbers.
    """
    bare = f"trim(regexp_replace({text}, '^=\"(.*)\"$', '\\1'), {literal(_GUARDS)})"
    without_fraction = f"regexp_replace({bare}, '^([+]?[0-9]{{6,}})[.]0+$', '\\1')"
    is_rounded = f"regexp_full_match({bare}, {literal(_SCIENTIFIC)}, 'i')"
    return f"CASE WHEN NOT {is_rounded} THEN {without_fraction} END"


def _words(yes: tuple[str, ...], no: tuple[str, ...]) -> Rule:
    def rule(text: str, _timed: bool) -> str:
        is_yes, is_no = (f"lower({text}) IN {literals([*words])}" for words in (yes, no))
        return f"CASE WHEN {is_yes} THEN 'true' WHEN {is_no} THEN 'false' END"

    return rule


_YES = (
    "是", "on", "√", "✓", "有", "真", "對", "对", "ja", "wahr", "oui", "vrai", "sí", "si", "verdadero", "sim",
    "verdadeiro", "sì", "vero", "да", "истина", "tak", "prawda", "evet", "はい", "예",
)  # fmt: skip
_NO = (
    "否", "off", "×", "✗", "x", "无", "無", "假", "错", "nein", "falsch", "non", "faux", "falso", "não", "нет", "ложь",
    "nie", "fałsz", "hayır", "nee", "いいえ", "아니요",
)  # fmt: skip
DAY_OF_TIME = "day"  # the format by which a column of days leaves out the times behind them
POINTS = {"amount": ".", "amount_comma": ","}  # by the formats of amounts: what stands before the cents
MOMENTS = ("date", "timestamptz")
AMOUNTS = ("decimal", "double")
TEXTS = ("string",)
ALONE = (*AMOUNTS, *TEXTS)  # read by their formats or not at all
_SINCE_1970 = ("epoch", "epoch_s", "epoch_ms", "epoch_us")
_CONTRADICTING = (
    {"dmy", "mdy"},
    {"amount", "amount_comma"},
    {"phone", "id"},
    {"phone", "salesforce_id"},
    {"id", "salesforce_id"},
    {"text", "id"},
    {"text", "salesforce_id"},
    {"text", "phone"},
    {"yes_no", "opted_out"},
    *({"ymd", name} for name in _SINCE_1970),
    *({one, other} for one in _SINCE_1970 for other in _SINCE_1970 if one < other),
)  # they read one text in two ways
VALUE_FORMATS: dict[str, ValueFormat] = {
    "ymd": ValueFormat(
        MOMENTS,
        "2026/1/5, 2026.1.5, 20260105, 20260105083000, with a time (8:30 PM, 下午8:30) or none",
        _either(_moment(1, 2, 3), _compact),
    ),
    "dmy": ValueFormat(
        MOMENTS, "5-1-2026, 05/01/26: the day comes first", _day_and_month_first(2, 1)
    ),
    "mdy": ValueFormat(
        MOMENTS, "1/5/2026, 01-05-26: the month comes first", _day_and_month_first(1, 2)
    ),
    "excel": ValueFormat(MOMENTS, "46027: the number that Excel keeps for a date", _excel),
    "offset": ValueFormat(
        ("timestamptz",), "2026-01-05 08:30:00 -0500: every time may be so; the name stays for older definitions", None
    ),
    "epoch_s": ValueFormat(
        ("timestamptz",), "1767602400, 1767602400.25: seconds since 1970", None, moment=_since_1970(12, 0)
    ),
    "epoch_ms": ValueFormat(
        ("timestamptz",),
        "1767602400000, also negative: thousandths of a second since 1970. A number that would be a time of the first "
        "weeks of 1970 is rather one of seconds, and is not read",
        None,
        moment=_since_1970(15, 3),
    ),
    "epoch_us": ValueFormat(
        ("timestamptz",), "1767602400000000: millionths of a second since 1970", None, moment=_since_1970(18, 6)
    ),
    "epoch": ValueFormat(
        ("timestamptz",),
        "numbers since 1970 in a unit that their length tells, from 2001 on: 10 digits are seconds, 13 thousandths, 16 "
        "millionths, 19 billionths of one",
        None,
        moment=_by_digits,
    ),
    "day": ValueFormat(
        ("date",),
        "2026-01-05 08:30, and times in the other formats of the column: the day alone is kept, as it is written. "
        "Without it a time but midnight is none of a day",
        _plain_day,
    ),
    "chinese": ValueFormat(MOMENTS, "二〇二六年一月五日, 2026年1月5日", _chinese),
    "amount": ValueFormat(
        AMOUNTS, "¥1,299.00, 1299元, USD 5, (120.00), 12.50-, 1,23,456.00", _amount(",", POINTS["amount"])
    ),
    "amount_comma": ValueFormat(
        AMOUNTS, "1.299,00 €, -5,50: a comma before the cents", _amount(".", POINTS["amount_comma"])
    ),
    "yes_no": ValueFormat(
        ("boolean",),
        "是 否, on off, x and √ ✓ ×, 有 无, 真 假, ja nein, WAHR FALSCH, those of more languages, besides what a plain "
        "cast reads: true, yes, y, 1",
        _words(_YES, _NO),
    ),
    "opted_out": ValueFormat(
        ("boolean",),
        "whether somebody opted out, in a column of that: yes, x, 是 and unsubscribed say so, no, allow and subscribed "
        "say not",
        lambda text, _: consent_words.opted_out_sql(text),
    ),
    "phone": ValueFormat(
        TEXTS, "a phone as typed, but for what a spreadsheet has rounded: 1.38E+10 (`bad_phone`)", _unrounded
    ),
    "id": ValueFormat(
        TEXTS,
        "an id without spaces around it, 4711.0 as 4711, but for what a spreadsheet has rounded: 7.12E+18 (`bad_id`)",
        lambda text, _: ids.form_sql(text),
    ),
    "salesforce_id": ValueFormat(
        TEXTS,
        "the same, and an id of Salesforce's with 18 characters if it has 15",
        lambda text, _: ids.form_sql(text),
        ids.salesforce_sql,
    ),
    "consent": ValueFormat(
        TEXTS,
        "a word that says that somebody consented, or did not: yes, N, 0, opted out, 不同意; another one sets the row "
        "aside (`bad_consent`)",
        lambda text, _: f"CASE WHEN {consent_words.is_known_sql(text)} THEN {text} END",
    ),
    "text": ValueFormat(TEXTS, "any text as it came, also where it would be an id", lambda text, _: text),
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
