"""How values are written, as the `formats` of a source definition that read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_YMD = re.compile(r"yyyy(?:[/.]m{1,2}[/.]d{1,2}|mmdd$|-m{1,2}-d{1,2})")
_YES_NO = ("是/否", "on/off", "有/无", "真/假", "对/错", "√/×")
_COMMA = re.compile(r"1\.234,56|1\.234\.567|1234,56")
_DRESSED = re.compile(r"1,234|1,23,456|[$€£¥元圆]|RMB|人民币|\(|[A-Z]{3}")


class Read(NamedTuple):
    """The formats that read a column's values. `ambiguous`: days like 5/1/26, whose order none of the values tells."""

    formats: tuple[str, ...]
    ambiguous: bool


def formats_of(kind: str, shapes: Iterable[str]) -> Read:
    """Return what a definition must say of a column of this type, whose values a profile finds written like `shapes`.

    Nothing where a plain cast reads them, or where no format does: whether they load is for a try to say.
    """
    base, shapes = kind.partition("(")[0], list(shapes)
    if base in ("date", "timestamptz"):
        return _days(shapes)
    if base in ("decimal", "double"):
        return Read(_amounts(shapes), ambiguous=False)
    if base == "boolean" and any(shape in _YES_NO for shape in shapes):
        return Read(("yes_no",), ambiguous=False)
    return Read((), ambiguous=False)


def _days(shapes: list[str]) -> Read:
    found = []
    if any(_YMD.match(shape) and not shape.startswith("yyyy-") for shape in shapes):
        found.append("ymd")
    if any(re.match(r"d[-/.]m[-/.]y", shape) and " or " not in shape for shape in shapes):
        found.append("dmy")
    if any(re.match(r"m[-/.]d[-/.]y", shape) and " or " not in shape for shape in shapes):
        found.append("mdy")
    if any(shape[:5] in ("yyyy年", "二〇〇〇年") or shape.startswith("二") for shape in shapes):
        found.append("chinese")
    if "Excel serial" in shapes:
        found.append("excel")
    both = {"dmy", "mdy"} <= set(found)
    ambiguous = both or any(" or " in shape for shape in shapes)
    return Read(tuple(name for name in found if not both or name not in ("dmy", "mdy")), ambiguous)


def _amounts(shapes: list[str]) -> tuple[str, ...]:
    if any(_COMMA.search(shape) for shape in shapes):
        return ("amount_comma",)
    return ("amount",) if any(_DRESSED.search(shape) for shape in shapes) else ()
