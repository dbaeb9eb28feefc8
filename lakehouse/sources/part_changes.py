"""Versions of a record that name one column of it, as a webhook does, made whole by the versions that came before.

What a source announces of one property says nothing of the others. The version that is made of it has the announced
value, and of every other column what the record had: as the source's other mappings of the entity say it, and other
announcements before. A record of which nothing else is known is not made of an announcement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lakehouse.engine.escape import identifier, literal

NAMED: Final = "_changes"  # the column, in the rows between, that says of which column a row speaks
_ORIGIN: Final = ("_loaded_at", "_file_id", "_row")
# What orders two versions of one time, as `models.entity_sql` does: the later one last.
_ORDER: Final = (
    "coalesce(updated_at, _loaded_at), sequence NULLS FIRST, _loaded_at, _file_id, _row, deleted NULLS FIRST"
)
_OF_THE_ROW: Final = frozenset({"updated_at", "sequence", "identifier_type", "identifier_value", "time_zone"})


def whole_sql(
    parts: str, wholes: Sequence[str], columns: Mapping[str, str], key: Sequence[str]
) -> str | None:
    """Return the SELECT of versions that `parts` name one column of, whole; None where no other mapping is there.

    `parts` is a SELECT of the entity's columns, of `_ORIGIN` and of `NAMED`, `wholes` are those of the source's other
    mappings, without `NAMED`; `columns` are the entity's, and `key` those that name a record.
    """
    if not wholes:
        return None
    names = ", ".join(map(identifier, (*columns, *_ORIGIN)))
    keys = ", ".join(map(identifier, key))
    filled = ", ".join(f"{_filled(name)} AS {identifier(name)}" for name in columns if _is_filled(name, key))
    base = " UNION ALL ".join(f"(SELECT {names} FROM ({one}))" for one in wholes)
    return (
        f"(WITH parts AS MATERIALIZED (SELECT {names}, {NAMED} FROM ({parts}) WHERE {NAMED} IS NOT NULL), "
        f"said AS (SELECT {names}, NULL::VARCHAR AS {NAMED} FROM ({base}) "
        f"WHERE ({keys}) IN (SELECT ({keys}) FROM parts) UNION ALL SELECT * FROM parts), "
        f"filled AS (SELECT * REPLACE ({filled}), "
        f"bool_or({NAMED} IS NULL) OVER before AS _is_known FROM said "
        f"WINDOW before AS (PARTITION BY {keys} ORDER BY {_ORDER} ROWS UNBOUNDED PRECEDING)) "
        f"SELECT {names} FROM filled WHERE {NAMED} IS NOT NULL AND _is_known)"
    )


def _is_filled(name: str, key: Sequence[str]) -> bool:
    return name not in key and name not in _OF_THE_ROW


def _filled(name: str) -> str:
    """Return what a column was last said to be: null counts where a row speaks of the column."""
    cell = identifier(name)
    speaks = f"{NAMED} IS NULL OR {NAMED} = {literal(name)}"
    said = f"CASE WHEN {speaks} THEN struct_pack(said := {cell}) END"
    return f"(last_value({said} IGNORE NULLS) OVER before).said"
