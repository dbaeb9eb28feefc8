"""Files that list all records there are: what is missing from one of them was deleted.

The raw table is append-only, so a deletion is no row of it. It is seen when the files are laid side by side, in the
order in which they were loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier, literal, qualified

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source

_HELPERS = "n, moment, n_before, n_behind"


def rows_sql(source: Source, incomplete: Collection[str] = ()) -> str:
    """Return the rows of a source's table in brackets, with one row more for each time that a record went missing.

    Two columns more: `_gone`, true in such a row, which repeats the record's last one; and `_noticed_at`, the time of
    the file that a record is missing from, or is in again; null elsewhere. A file of `incomplete` shows who is there,
    and not who is missing.
    """
    table, key = qualified(source.table), ", ".join(map(identifier, source.key))
    doubtful = ", ".join(map(literal, sorted(incomplete))) or "NULL"
    # The n-th complete file has the number n; an incomplete one behind it n + 0.5.
    return f"""(
WITH files AS (
    SELECT _file_id, min(_loaded_at) AS moment, coalesce(_file_id IN ({doubtful}), false) AS doubtful
    FROM {table} GROUP BY _file_id
),
exports AS (
    SELECT _file_id, moment, doubtful, count(*) FILTER (NOT doubtful) OVER (ORDER BY moment, _file_id)
        + CASE WHEN doubtful THEN 0.5 ELSE 0.0 END AS n
    FROM files
),
listed AS (SELECT t.*, e.n, e.moment FROM {table} AS t JOIN exports AS e USING (_file_id)),
beside AS (
    SELECT *, max(n) OVER earlier AS n_before, min(n) OVER later AS n_behind
    FROM listed
    WINDOW earlier AS (PARTITION BY {key} ORDER BY n RANGE BETWEEN UNBOUNDED PRECEDING AND 0.1 PRECEDING),
        later AS (PARTITION BY {key} ORDER BY n RANGE BETWEEN 0.1 FOLLOWING AND UNBOUNDED FOLLOWING)
),
gone AS (
    SELECT b.*, e.moment AS missing_at
    FROM beside AS b JOIN exports AS e ON e.n = floor(b.n) + 1
    WHERE coalesce(n_behind > floor(b.n) + 1, true)
    QUALIFY row_number() OVER (PARTITION BY {key}, b.n ORDER BY b._file_id DESC, _row DESC) = 1
)
SELECT * EXCLUDE ({_HELPERS}), false AS _gone, CASE WHEN n_before < ceil(n) - 1 THEN moment END AS _noticed_at
FROM beside
UNION ALL
SELECT * EXCLUDE ({_HELPERS}, missing_at), true AS _gone, missing_at AS _noticed_at FROM gone
)"""


def changes(given: Mapping[str, str]) -> dict[str, str]:
    """Return what a mapping's `updated_at` and `deleted` become over `rows_sql`.

    What was noticed comes behind the version it ends or follows, even where the source's clock is ahead of ours.
    """
    changed = given.get("updated_at", "NULL")
    later = f"greatest(_noticed_at, {changed} + INTERVAL 1 microsecond)"
    return {
        "updated_at": f"CASE WHEN _noticed_at IS NULL THEN {changed} ELSE {later} END",
        "deleted": f"_gone OR coalesce({given.get('deleted', 'false')}, false)",
    }
