"""Files that list all records there are: what is missing from one of them was deleted.

The raw table is append-only, so a deletion is no row of it. It follows from comparing the files in the order in which
they were loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier, literal, qualified

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source

_HELPERS = "_moment, _whole, _whole_before, _last_whole, _next_place, _missed"
_NONE: Mapping[str, datetime] = MappingProxyType({})


def rows_sql(source: Source, incomplete: Collection[str] = (), empty: Mapping[str, datetime] = _NONE) -> str:
    """Return the rows of a source's table in brackets, with one row more for each time that a record went missing.

    Three columns more: `_gone`, true in such a row, which repeats the record's last one; `_missed_at`, the time of
    the file that it is missing from, or was before it came back; `_noticed_at`, the time of the file that shows so.
    Both are null elsewhere. A file of `incomplete` shows which records there are, and not which are missing. From a
    file of `empty`, loaded at that time, all are missing; the table has no row of it.
    """
    table, key = qualified(source.table), ", ".join(map(identifier, source.key))
    empty_files = "".join(
        f" UNION ALL SELECT {literal(name)}, TIMESTAMPTZ {literal(moment.isoformat())}, true"
        for name, moment in sorted(empty.items())
    )
    incomplete_ids = ", ".join(map(literal, sorted(incomplete))) or "NULL"
    # `_whole` counts the complete files up to this one: between two files of one count no record goes missing.
    return f"""(
WITH files AS (
    SELECT _file_id, min(_loaded_at) AS _moment, coalesce(_file_id NOT IN ({incomplete_ids}), true) AS _counts
    FROM {table} GROUP BY _file_id{empty_files}
),
exports AS (
    SELECT *, row_number() OVER behind AS _place, count(*) FILTER (_counts) OVER behind AS _whole
    FROM files WINDOW behind AS (ORDER BY _moment, _file_id)
),
beside AS (
    SELECT t.*, e._moment, e._whole, e._whole - CAST(e._counts AS INTEGER) AS _whole_before,
        max(e._whole) OVER earlier AS _last_whole, min(e._place) OVER later AS _next_place
    FROM {table} AS t JOIN exports AS e USING (_file_id)
    WINDOW earlier AS (PARTITION BY {key} ORDER BY e._place RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        later AS (PARTITION BY {key} ORDER BY e._place RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
),
back AS (
    SELECT b.*, e._moment AS _missed
    FROM beside AS b LEFT JOIN exports AS e
        ON e._counts AND e._whole = b._last_whole + 1 AND b._last_whole < b._whole_before
),
gone AS (
    SELECT b.*, e._moment AS _missed
    FROM beside AS b JOIN exports AS e ON e._counts AND e._whole = b._whole + 1
    WHERE coalesce(_next_place > e._place, true)
    QUALIFY row_number() OVER (PARTITION BY {key}, e._place ORDER BY b._row DESC) = 1
)
SELECT * EXCLUDE ({_HELPERS}), false AS _gone, _missed AS _missed_at,
    CASE WHEN _missed IS NOT NULL THEN _moment END AS _noticed_at
FROM back
UNION ALL
SELECT * EXCLUDE ({_HELPERS}), true AS _gone, _missed AS _missed_at, _missed AS _noticed_at FROM gone
)"""


def changes(mapping: Mapping[str, str]) -> dict[str, str]:
    """Return what a mapping's `updated_at` and `deleted` become over `rows_sql`.

    What was noticed comes behind the version it ends or follows, even where the source's clock is ahead of ours. Of a
    record that came back changed, its own time of change counts, if it lies between the two files.
    """
    changed = f"TRY_CAST({mapping.get('updated_at', 'NULL')} AS TIMESTAMPTZ)"
    later = f"greatest(_noticed_at, {changed} + INTERVAL 1 microsecond)"
    since = f"NOT _gone AND {changed} > _missed_at AND {changed} <= _noticed_at"
    return {
        "updated_at": f"CASE WHEN _noticed_at IS NULL OR ({since}) THEN {changed} ELSE {later} END",
        "deleted": f"_gone OR coalesce({mapping.get('deleted', 'false')}, false)",
    }
