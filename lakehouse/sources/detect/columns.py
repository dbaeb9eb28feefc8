"""What a column is, from a sample of its values: type, formats, personal data, and entity hints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lakehouse.sources.detect import dates, name_hints, numbers
from lakehouse.sources.detect.masking import mask
from lakehouse.sources.detect.personal_data import HINT_OF, KINDS
from lakehouse.sources.detect.policy import DescriptionPolicy, TypePolicy
from lakehouse.sources.detect.value_patterns import entity_hints

_PRECISIONS: Final = (18, 38)  # digits of a decimal: 8 bytes hold the first, 16 bytes the second
_COMPACT_DIGITS: Final = {"yyyymmdd": 8, "yyyymmddhhmmss": 14}  # dates that may be plain numbers
_FAMILIES = ("boolean", "number", "date", "json")  # in the order in which they are tried
_PLAIN_INTEGER = "1234"
_NEVER_ADDED_UP = ("phone", "chinese_id", "damaged_phone")
_PERSONAL_BY_ITSELF = ("email", "phone", "chinese_id", "wechat_id", "ip")
NULL_WORDS = frozenset(
    (
        "-",
        "--",
        "—",
        "n/a",
        "#n/a",
        "na",
        "nan",
        "nil",
        "none",
        "null",
        "(null)",
        "\\n",
        "undefined",
        "unknown",
        "无",
        "暂无",
    )
)


@dataclass(frozen=True)
class PersonalShare:
    """A kind of personal data: the share of values that fit (0 to 1), and whether the header hints at it too."""

    kind: str
    share: float
    hinted: bool


@dataclass(frozen=True)
class ColumnDescription:
    """What a sample says of a column. Shares (0 to 1) are of the values that are no null words, such as `N/A`.

    `type` is as in a source definition, or `json`; `parses` the share of values that are of it as people write it;
    `formats` how values are written, with their share; `null_words` the share of null words of all values;
    `entity_hints` what most values look like beside personal data, such as `currency`.
    """

    type: str = "string"
    parses: float = 1.0
    formats: dict[str, float] = field(default_factory=dict)
    null_words: float = 0.0
    personal: tuple[PersonalShare, ...] = ()
    samples: tuple[str, ...] = ()
    entity_hints: tuple[str, ...] = ()


class _Reading(NamedTuple):
    """How one value reads: its family of types ("" for text), type and format; a number's digits around its point."""

    family: str
    type: str
    format: str
    integer_digits: int = 0
    scale: int = 0


@dataclass
class _Tally:
    """How many values are of which type and format, and how many digits the widest numbers have."""

    types: Counter[str] = field(default_factory=Counter)
    formats: dict[str, Counter[str]] = field(default_factory=dict)  # by family
    integer_digits: int = 0
    scale: int = 0

    def add(self, reading: _Reading, count: int) -> None:
        self.types[reading.type] += count
        self.formats.setdefault(reading.family, Counter())[reading.format] += count
        if reading.family == "number":
            self.widen(reading.integer_digits, reading.scale)

    def widen(self, integer_digits: int, scale: int) -> None:
        self.integer_digits = max(self.integer_digits, integer_digits)
        self.scale = max(self.scale, scale)

    def of_family(self, family: str) -> int:
        return sum(self.formats.get(family, {}).values())


def describe(header: str, values: Mapping[str, int]) -> ColumnDescription:
    """Return what a column of this header is, given how often each of its trimmed, non-empty values occurs.

    The description holds none of the values: samples are masked, formats are named by examples that do not come
    from them.
    """
    if not values:
        return ColumnDescription()
    real = {value: count for value, count in values.items() if value.lower() not in NULL_WORDS}
    if not real:
        return ColumnDescription(null_words=1.0, samples=_samples(values))
    total, real_total = sum(values.values()), sum(real.values())
    hints = name_hints.hints(header)
    personal = _personal_shares(hints, real, real_total)
    tally = _tally(hints, real)
    family = _family(tally, real_total)
    if any(_is_never_added_up(share) for share in personal):
        family = ""
    return ColumnDescription(
        type=_narrowest_type(tally, family),
        parses=tally.of_family(family) / real_total if family else 1.0,
        formats=_formats(tally, real_total),
        null_words=(total - real_total) / total,
        personal=personal,
        samples=_samples(real),
        entity_hints=entity_hints(real),
    )


def is_personal_value(header: str) -> bool:
    """Tell whether a header is itself an e-mail address, a phone, identity or WeChat number, or an IP address."""
    judges = [KINDS[kind].alone for kind in _PERSONAL_BY_ITSELF]
    return any(judge is not None and judge.fits(header) for judge in judges)


def is_data_row(headers: Sequence[str]) -> bool:
    """Tell whether what should be a header is a row of data.

    It is where one cell is personal data, or more than half are numbers and days.
    """
    typed = sum(bool(numbers.number(header) or dates.moment(header)) for header in headers)
    return typed * 2 > len(headers) or any(map(is_personal_value, headers))


def _tally(hints: frozenset[str], values: Mapping[str, int]) -> _Tally:
    """Return how the values read; `hints` are the header's."""
    tally = _Tally()
    bits = "flag" in hints and set(values) == {"0", "1"}
    for value, count in values.items():
        reading = (
            _Reading("boolean", "boolean", "1/0") if bits else _read(value, dates_likely="date" in hints)
        )
        if reading is not None:
            tally.add(reading, count)
    _settle_order_of_days(tally)
    _settle_compact_dates(tally)
    return tally


def _read(value: str, *, dates_likely: bool) -> _Reading | None:
    """Return how a value reads; None for plain text. Numbers are days only where the header makes dates likely."""
    if pair := numbers.boolean(value):
        return _Reading("boolean", "boolean", pair)
    moment = dates.moment(value)
    if moment is None and dates_likely:
        moment = dates.serial_day(value) or dates.epoch_moment(value)
    if moment is not None:
        return _Reading("date", moment.type, moment.format)
    if number := numbers.number(value):
        return _Reading("number", number.type, number.format, number.integer_digits, number.scale)
    if value[0] in "{[" and _is_json(value):
        return _Reading("json", "json", "object" if value[0] == "{" else "array")
    if value.isascii() and value.isdigit():
        return _Reading("", "string", "leading zeros")
    return None


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


def _settle_order_of_days(tally: _Tally) -> None:
    """Name the order of days like 5-1-26 as the other values have it: beside 25-1-26 the day comes first."""
    formats = tally.formats.get("date", Counter())
    ambiguous = [name for name in formats if name.startswith("?")]
    for name in ambiguous:
        mark, rest = name[1], name[3:]
        day_first, month_first = f"d{mark}m{rest}", f"m{mark}d{rest}"
        if formats[day_first] and formats[day_first] >= formats[month_first]:
            settled = day_first
        elif formats[month_first]:
            settled = month_first
        else:
            settled = f"{day_first} or {month_first}"
        formats[settled] += formats.pop(name)


def _settle_compact_dates(tally: _Tally) -> None:
    """Count as numbers what only looks like days without separators, where most others are numbers."""
    days, plain = (tally.formats.get(family, Counter()) for family in ("date", "number"))
    if not set(days) <= _COMPACT_DIGITS.keys() or days.total() > plain.total():
        return
    for name, count in days.items():
        plain[_PLAIN_INTEGER] += count
        tally.types["int" if name == "yyyymmdd" else "long"] += count
        tally.widen(_COMPACT_DIGITS[name], 0)
    days.clear()


def _family(tally: _Tally, total: int) -> str:
    """Return the first family that nearly all values are of; empty for text."""
    least = TypePolicy.least_parsed * total
    return next((family for family in _FAMILIES if tally.of_family(family) >= least), "")


def _is_never_added_up(share: PersonalShare) -> bool:
    """Tell whether values are made of digits and are no numbers all the same: phones, identity numbers."""
    return share.kind in _NEVER_ADDED_UP and share.share >= TypePolicy.least_parsed


def _narrowest_type(tally: _Tally, family: str) -> str:
    """Return the narrowest type that holds all values of the family."""
    if family == "date":
        return "timestamptz" if tally.types["timestamptz"] else "date"
    if family == "number":
        return _narrowest_number(tally)
    return family or "string"


def _narrowest_number(tally: _Tally) -> str:
    digits = tally.integer_digits + tally.scale
    if tally.types["double"] or tally.scale > TypePolicy.most_decimals or digits > _PRECISIONS[-1]:
        return "double"
    if tally.types["decimal"]:
        precision = next(size for size in _PRECISIONS if digits <= size)
        return f"decimal({precision},{tally.scale})"
    return "long" if tally.types["long"] else "int"


def _formats(tally: _Tally, total: int) -> dict[str, float]:
    """Return the commonest formats; that of plain integers says nothing, unless there are others beside it."""
    formats = sum((Counter(counts) for counts in tally.formats.values()), Counter[str]())
    if set(formats) <= {_PLAIN_INTEGER}:
        return {}
    return {name: count / total for name, count in _commonest(formats, DescriptionPolicy.formats)}


def _personal_shares(
    hints: frozenset[str], values: Mapping[str, int], total: int
) -> tuple[PersonalShare, ...]:
    """Return the kinds of personal data that enough values fit, the largest share first."""
    shares = []
    for kind, judges in KINDS.items():
        hinted = HINT_OF.get(kind, kind) in hints
        judge = judges.hinted if hinted else judges.alone
        if judge is None:
            continue
        share = sum(count for value, count in values.items() if judge.fits(value)) / total
        if share > 0 and share >= judge.least_share:
            shares.append(PersonalShare(kind, share, hinted))
    return tuple(sorted(shares, key=lambda personal: (-personal.share, personal.kind)))


def _samples(values: Mapping[str, int]) -> tuple[str, ...]:
    """Return a few masked values, the commonest first."""
    masked: Counter[str] = Counter()
    for value, count in values.items():
        masked[mask(value)] += count
    return tuple(text for text, _ in _commonest(masked, DescriptionPolicy.masked_samples))


def _commonest(counted: Counter[str], most: int) -> Iterable[tuple[str, int]]:
    """Return the names with the highest counts; of equal ones the first of the alphabet."""
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:most]
