"""The SQL of a canonical column that several columns of a file become: the first that is there, or all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lakehouse.sources.suggest.composite_columns import NAME, REGION
from lakehouse.sources.suggest.draft_columns import DraftColumn
from lakehouse.sources.suggest.target_columns import BY_PEOPLE
from lakehouse.sources.suggest.words import name_of


def core_expression(core: str, sources: Sequence[DraftColumn], columns: Sequence[DraftColumn]) -> str:
    """Return the SQL of a canonical column from its `sources`; `columns` are all of the file."""
    parts = [column for column in sources if column.role]
    entire = [column for column in sources if not column.role]
    if not parts:
        return entire[0].expression if len(entire) == 1 else _first_filled(core, entire)
    if core == REGION:
        return _region(parts, columns)
    if core == NAME:
        return _name(entire, parts)
    return _address(entire[0], parts)


def _first_filled(core: str, columns: Sequence[DraftColumn]) -> str:
    """Return the SQL of the first column with a value; of times of change, that of the last."""
    if core == "updated_at":
        return f"greatest({', '.join(column.expression for column in columns)})"
    if core == "phone":
        columns = sorted(columns, key=_is_mobile, reverse=True)
    if core in BY_PEOPLE:
        columns = sorted(columns, key=_is_id, reverse=True)
    first = f"coalesce({', '.join(column.name for column in columns)})"
    return f"lower({first})" if core == "email" else first


def _is_mobile(column: DraftColumn) -> bool:
    return re.search(r"mobile|cell|手机|移动", column.header.lower()) is not None


def _is_id(column: DraftColumn) -> bool:
    name = name_of(column.header)
    return "id" in name.folded or name.han.endswith("编号")


def _name(entire: Sequence[DraftColumn], parts: Sequence[DraftColumn]) -> str:
    """Return the SQL of the name, from its parts where there is no entire one."""
    if not entire:
        return _full_name(parts)
    names = [column.expression for column in entire]
    return f"coalesce({', '.join([*names, _full_name(parts)])})"


def _full_name(parts: Sequence[DraftColumn]) -> str:
    """Return the SQL of given and family name; in Chinese the family stands first, without a space."""
    by_role = {column.role: column for column in parts}
    first, last = by_role["first_name"], by_role["last_name"]
    if name_of(first.header).han:
        return f"nullif(concat({last.name}, {first.name}), '')"
    return f"nullif(concat_ws(' ', {first.name}, {last.name}), '')"


def _address(street: DraftColumn, parts: Sequence[DraftColumn]) -> str:
    """Return the SQL of an address: the area before the street, all else behind it."""
    before = [column.name for column in parts if column.role == "area"]
    behind = [column for column in parts if column.role != "area"]
    behind.sort(key=lambda column: column.role)
    names = [*before, street.name, *(column.name for column in behind)]
    return f"nullif(concat_ws(', ', {', '.join(names)}), '')"


def _region(parts: Sequence[DraftColumn], columns: Sequence[DraftColumn]) -> str:
    """Return the SQL of a region's code: the country's, a dash, the state's."""
    by_role = {column.role: column for column in parts}
    state = by_role["state"]
    country = by_role.get("country") or columns[state.partner or 0]
    return f"{country.name} || '-' || {state.name}"
