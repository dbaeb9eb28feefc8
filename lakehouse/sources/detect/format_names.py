"""How values are written, as the `formats` of a source definition that read them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

_YMD = re.compile(r"yyyy(?:[/.]m{1,2}[/.]d{1,2}|mmdd$|-m{1,2}-d{1,2})")
_DMY = re.compile(r"d[-/.]m[-/.]y")
_MDY = re.compile(r"m[-/.]d[-/.]y")
_YES_NO = ("是/否", "on/off", "有/无", "真/假", "对/错", "√/×", "ja/nein", "oui/non")
_COMMA = re.compile(r"1[. ]234,56|1\.234\.567|1234,56")
_DECORATED = re.compile(r"1[, ]234|1,23,456|[$€£¥元圆]|RMB|人民币|\(|[A-Z]{3}")
_EITHER_ORDER = " or "  # as in `d-m-yy or m-d-yy`
_DAY_ORDERS = frozenset(("dmy", "mdy"))


class DefinitionFormats(NamedTuple):
    """The formats that read a column's values. `ambiguous`: days like 5/1/26, whose order none of the values tells."""

    formats: tuple[str, ...]
    ambiguous: bool


def formats_of(column_type: str, written: Iterable[str]) -> DefinitionFormats:
    """Return what a definition must say of a column of this type; `written` is how a profile finds its values written.

    Nothing where a plain cast reads them, or where no format does: whether they load is for a try to say.
    """
    base, written = column_type.partition("(")[0], list(written)
    if base in ("date", "timestamptz"):
        return _date_formats(written)
    if base in ("decimal", "double"):
        return DefinitionFormats(_amount_formats(written), ambiguous=False)
    if base == "boolean" and any(name in _YES_NO for name in written):
        return DefinitionFormats(("yes_no",), ambiguous=False)
    return DefinitionFormats((), ambiguous=False)


def _date_formats(written: list[str]) -> DefinitionFormats:
    formats = [name for name, reads in _DATE_FORMATS.items() if any(map(reads, written))]
    both_orders = set(formats) >= _DAY_ORDERS
    if both_orders:
        formats = [name for name in formats if name not in _DAY_ORDERS]
    ambiguous = both_orders or any(_EITHER_ORDER in name for name in written)
    return DefinitionFormats(tuple(formats), ambiguous)


def _is_year_first(name: str) -> bool:
    """Tell whether days begin with the year, and not as ISO 8601 has them, which a plain cast reads."""
    return _YMD.match(name) is not None and not name.startswith("yyyy-")


def _is_day_first(name: str) -> bool:
    return _DMY.match(name) is not None and _EITHER_ORDER not in name


def _is_month_first(name: str) -> bool:
    return _MDY.match(name) is not None and _EITHER_ORDER not in name


def _is_chinese(name: str) -> bool:
    return name.startswith(("yyyy年", "二"))


def _is_serial(name: str) -> bool:
    return name == "Excel serial"


_DATE_FORMATS: dict[str, Callable[[str], bool]] = {
    "ymd": _is_year_first,
    "dmy": _is_day_first,
    "mdy": _is_month_first,
    "chinese": _is_chinese,
    "excel": _is_serial,
}


def _amount_formats(written: list[str]) -> tuple[str, ...]:
    if any(_COMMA.search(name) for name in written):
        return ("amount_comma",)
    return ("amount",) if any(_DECORATED.search(name) for name in written) else ()
