"""The SQL of a canonical column that several columns of a file become: the first that is there, or all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lakehouse.sources.suggest.draft_columns import Drafted
from lakehouse.sources.suggest.target_columns import BY_PEOPLE
from lakehouse.sources.suggest.words import name_of


def together(name: str, listed: Sequence[Drafted], drafted: Sequence[Drafted]) -> str:
    """Return the expression of a canonical column from the columns `listed`; `drafted` are all of the file."""
    parts = [one for one in listed if one.part]
    whole = [one for one in listed if not one.part]
    if name == "region_code" and parts:
        return _region(parts, drafted)
    if name == "name" and parts:
        full = [one.expression for one in whole]
        return f"coalesce({', '.join([*full, _full_name(parts)])})" if full else _full_name(parts)
    if parts:
        return _address(whole[0], parts)
    if len(whole) == 1:
        return whole[0].expression
    if name == "updated_at":
        return f"greatest({', '.join(one.expression for one in whole)})"
    if name == "phone":
        whole.sort(key=_mobile_first)
    if name in BY_PEOPLE:
        whole.sort(key=_name_last)
    inner = ", ".join(one.name for one in whole)
    return f"lower(coalesce({inner}))" if name == "email" else f"coalesce({inner})"


def _mobile_first(one: Drafted) -> bool:
    return not re.search(r"mobile|cell|手机|移动", one.header.lower())


def _name_last(one: Drafted) -> bool:
    return not name_of(one.header).loose & {"id"} and not name_of(one.header).han.endswith("编号")


def _full_name(parts: Sequence[Drafted]) -> str:
    """Return given and family name as one; in Chinese the family stands first, without a space."""
    of = {one.part: one for one in parts}
    first, last = of["first_name"], of["last_name"]
    if name_of(first.header).han:
        return f"nullif(concat({last.name}, {first.name}), '')"
    return f"nullif(concat_ws(' ', {first.name}, {last.name}), '')"


def _address(street: Drafted, parts: Sequence[Drafted]) -> str:
    before = [one.name for one in parts if one.part == "area"]
    behind = [one.name for one in sorted(parts, key=lambda one: one.part) if one.part != "area"]
    return f"nullif(concat_ws(', ', {', '.join([*before, street.name, *behind])}), '')"


def _region(parts: Sequence[Drafted], drafted: Sequence[Drafted]) -> str:
    of = {one.part: one for one in parts}
    partner = of["state"].partner
    country = of.get("country") or drafted[partner or 0]
    return f"{country.name} || '-' || {of['state'].name}"
