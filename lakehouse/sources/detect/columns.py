"""What a column is, from a sample of its values: type, how they are written, what is personal, what they look like."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lakehouse.sources.detect import dates, name_hints, numbers
from lakehouse.sources.detect.masking import mask
from lakehouse.sources.detect.personal_data import HINT_OF, KINDS
from lakehouse.sources.detect.value_patterns import things

ENOUGH = 0.9  # of the values must parse as a type; the rest is what quarantine will tell
_SAMPLES = 3
_FORMATS = 8
_PRECISIONS = (18, 38)
_SCALE = 12  # digits behind the point; more come of binary fractions
_COMPACT = {"yyyymmdd": 8, "yyyymmddhhmmss": 14}  # and their digits
_BITS = 2  # distinct spellings of 0 and 1
NOTHING = frozenset(
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
class Personal:
    """A kind of personal data: the share of values that fit (0 to 1), and whether the header hints at it too."""

    kind: str
    share: float
    hinted: bool


@dataclass(frozen=True)
class Described:
    """What a sample says of a column. Shares (0 to 1) are of the values that are no word for nothing, like `N/A`.

    `type` is as in a source definition, or `json`; `parses` the share of values that are one of it as people write
    it; `formats` how values are written, with their share; `nothing` the share of words for nothing of all values;
    `things` what most values are that is nobody's, such as `currency`.
    """

    type: str = "string"
    parses: float = 1.0
    formats: dict[str, float] = field(default_factory=dict)
    nothing: float = 0.0
    personal: tuple[Personal, ...] = ()
    samples: tuple[str, ...] = ()
    things: tuple[str, ...] = ()


@dataclass
class _Seen:
    """How many values are of which family, and what the widest of them is like."""

    families: Counter[str] = field(default_factory=Counter)
    formats: dict[str, Counter[str]] = field(default_factory=dict)
    widths: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, family: str, kind: str, shape: str, count: int) -> None:
        self.families[kind] += count
        self.formats.setdefault(family, Counter())[shape] += count

    def digits(self, whole: int, scale: int) -> None:
        before = self.widths.get("number", (0, 0))
        self.widths["number"] = (max(before[0], whole), max(before[1], scale))


def describe(header: str, values: Mapping[str, int]) -> Described:
    """Return what a column of this header is that has these trimmed, non-empty values so often.

    Never a value of it: samples are masked, formats are named by examples that do not come from the values.
    """
    if not values:
        return Described()
    hints = name_hints.hints(header)
    blank = {value for value in values if value.lower() in NOTHING}
    real = {value: count for value, count in values.items() if value not in blank}
    total, said = sum(values.values()), sum(real.values())
    if not real:
        return Described(nothing=1.0, samples=_samples(values))
    personal = _personal(hints, real, said)
    kind, family, seen = _typed(hints, real, said)
    if any(one.share >= ENOUGH and one.kind in ("phone", "chinese_id", "damaged_phone") for one in personal):
        kind, family = "string", ""  # digits, but nobody adds them up
    parses = 1.0 if kind == "string" else _of(seen, family) / said
    return Described(
        type=kind,
        parses=parses,
        formats=_formats(seen, said),
        nothing=(total - said) / total,
        personal=personal,
        samples=_samples(real),
        things=things(real),
    )


def tells_of_somebody(header: str) -> bool:
    """Tell whether a header is itself an e-mail address, a phone, identity or WeChat number, or an IP address."""
    alone = ("email", "phone", "chinese_id", "wechat_id", "ip")
    return any(KINDS[kind][-1].fits(header) for kind in alone)


def is_row(names: Sequence[str]) -> bool:
    """Tell whether what should be a header is a row: it tells of somebody, or more than half are numbers and days."""
    values = sum(bool(numbers.number(header) or dates.moment(header)) for header in names)
    return values * 2 > len(names) or any(map(tells_of_somebody, names))


def _typed(hints: frozenset[str], values: Mapping[str, int], said: int) -> tuple[str, str, _Seen]:
    """Return the type, its family, and what was seen."""
    seen = _Seen()
    bits = set(values) <= {"0", "1"} and len(values) == _BITS and "flag" in hints
    days = "date" in hints
    for value, count in values.items():
        _look(seen, value, count, bits=bits, days=days)
    _settle_order(seen)
    _settle_numbers(seen)
    for family in ("boolean", "number", "date", "json"):
        if _of(seen, family) >= ENOUGH * said:
            return _type(seen, family), family, seen
    return "string", "", seen


def _look(seen: _Seen, value: str, count: int, *, bits: bool, days: bool) -> None:
    if bits:
        seen.add("boolean", "boolean", "1/0", count)
    elif pair := numbers.boolean(value):
        seen.add("boolean", "boolean", pair, count)
    elif (found := dates.moment(value)) or (days and (found := dates.serial(value) or dates.epoch(value))):
        seen.add("date", found.type, found.format, count)
    elif number := numbers.number(value):
        seen.add("number", number.type, number.format, count)
        seen.digits(number.whole, number.scale)
    elif value[0] in "{[" and _is_json(value):
        seen.add("json", "json", "object" if value[0] == "{" else "array", count)
    elif value.isascii() and value.isdigit():
        seen.add("", "string", "leading zeros", count)


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


def _settle_order(seen: _Seen) -> None:
    """Say of days like 5-1-26 what their neighbours decide: where one is 25-1-26, the day comes first."""
    shapes = seen.formats.get("date", Counter())
    for shape in [shape for shape in shapes if shape.startswith("?")]:
        mark, rest = shape[1], shape[3:]
        first, second = (shape_of(mark, rest) for shape_of in (_day_first, _month_first))
        told = (
            first if shapes[first] >= shapes[second] and shapes[first] else second if shapes[second] else ""
        )
        shapes[told or f"{first} or {second}"] += shapes.pop(shape)


def _settle_numbers(seen: _Seen) -> None:
    """Count as numbers what only looks like days without separators, where most others are numbers."""
    days, counted = (seen.formats.get(family, Counter()) for family in ("date", "number"))
    if set(days) <= _COMPACT.keys() and days.total() <= counted.total():
        for shape, count in days.items():
            counted["1234"] += count
            seen.families["int" if shape == "yyyymmdd" else "long"] += count
            seen.digits(_COMPACT[shape], 0)
        days.clear()


def _day_first(mark: str, rest: str) -> str:
    return f"d{mark}m{rest}"


def _month_first(mark: str, rest: str) -> str:
    return f"m{mark}d{rest}"


def _of(seen: _Seen, family: str) -> int:
    return sum(seen.formats.get(family, {}).values())


def _type(seen: _Seen, family: str) -> str:
    """Return the narrowest type that holds all values of the family."""
    if family == "date":
        return "timestamptz" if seen.families["timestamptz"] else "date"
    if family != "number":
        return family
    whole, scale = seen.widths["number"]
    if seen.families["double"] or scale > _SCALE or whole + scale > _PRECISIONS[-1]:
        return "double"
    if seen.families["decimal"]:
        precision = next(size for size in _PRECISIONS if whole + scale <= size)
        return f"decimal({precision},{scale})"
    return "long" if seen.families["long"] else "int"


def _formats(seen: _Seen, said: int) -> dict[str, float]:
    """Return the most frequent ways of writing; plain whole numbers are no news, unless others stand beside them."""
    shapes = sum((Counter(found) for found in seen.formats.values()), Counter[str]())
    if set(shapes) <= {"1234"}:
        return {}
    ranked = sorted(shapes.items(), key=lambda item: (-item[1], item[0]))
    return {shape: count / said for shape, count in ranked[:_FORMATS]}


def _personal(hints: frozenset[str], values: Mapping[str, int], said: int) -> tuple[Personal, ...]:
    found = []
    for kind, judges in KINDS.items():
        hinted = HINT_OF.get(kind, kind) in hints
        judge = judges[0] if hinted else judges[-1]
        least = judge.hinted if hinted else judge.alone
        if least is None:
            continue
        share = sum(count for value, count in values.items() if judge.fits(value)) / said
        if share > 0 and share >= least:
            found.append(Personal(kind, share, hinted))
    return tuple(sorted(found, key=lambda one: (-one.share, one.kind)))


def _samples(values: Mapping[str, int]) -> tuple[str, ...]:
    """Return up to three masked values, the commonest looks first."""
    looks: Counter[str] = Counter()
    for value, count in values.items():
        looks[mask(value)] += count
    return tuple(look for look, _ in sorted(looks.items(), key=lambda item: (-item[1], item[0]))[:_SAMPLES])
