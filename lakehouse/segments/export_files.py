"""Files of who entered and who left, for people and tools that read files; they name customers by id only."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lakehouse import objects
from lakehouse.engine.escape import literal
from lakehouse.segments.policy import ExportPolicy
from lakehouse.tables.contracts import SEGMENT_CHANGES

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings

_COLUMNS: Final = ("customer_id", "change", "as_of")


def write_changes(con: duckdb.DuckDBPyConnection, settings: Settings, base: str) -> None:
    """Write one CSV a run and segment that changed, and a manifest beside it: `exports/SEGMENT/DAY/RUN.csv`, `.json`.

    The runs are this one, whose changes stand in `changes_now`, and those before it that noted changes against the
    same members (their names begin with `base`): one of these may have died before it wrote its files. What is written
    again is the same. All files of a segment together are its changes in `ops.segment_changes`, but for the control
    group: whoever writes to a file's people would write to them, too.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE changes_of_members AS SELECT * FROM {SEGMENT_CHANGES.name} "
        f"WHERE starts_with(run, {literal(base)}) AND NOT coalesce(control, false) "
        "UNION ALL BY NAME SELECT * FROM changes_now WHERE NOT control"
    )
    found = con.execute(
        "SELECT run, segment, max(as_of), min(found_at), count(*) FROM changes_of_members GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for run, segment, as_of, found_at, rows in found:
        key = f"exports/{segment}/{found_at.astimezone(UTC):%Y-%m-%d}/{run}"
        con.execute(
            f"COPY (SELECT {', '.join(_COLUMNS)} FROM changes_of_members "
            f"WHERE run = {literal(run)} AND segment = {literal(segment)} ORDER BY ALL) "
            f"TO {literal(f's3://{settings.ops_bucket}/{key}.csv')} (FORMAT csv, HEADER)"
        )
        says = {"kind": "changes", "run": run, "as_of": as_of.isoformat(), "rows": rows, "columns": _COLUMNS}
        objects.put(settings.ops_bucket, f"{key}.json", manifest(segment, f"{run}.csv", found_at, says))


def manifest(segment: str, file: str, made_at: datetime, says: dict[str, Any]) -> bytes:
    """Return what stands beside a file: what it holds, when it was made, and the day from which nobody may use it."""
    expires_on = (made_at.astimezone(UTC) + timedelta(days=ExportPolicy.days)).date()
    content = {
        "segment": segment,
        "file": file,
        "made_at": made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "expires_on": expires_on.isoformat(),
        **says,
    }
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
