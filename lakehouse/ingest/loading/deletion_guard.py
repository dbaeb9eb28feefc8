"""The guard of full exports: a file that would delete too much is set aside, until a person says that it is so.

An export that broke off, or that somebody filtered, would otherwise delete every record that it does not list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier, literal
from lakehouse.errors import BadFile
from lakehouse.tables import data_files

if TYPE_CHECKING:
    import duckdb

    from lakehouse.ingest.quarantine.replay_plan import Replay
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import DataFile, Table
    from lakehouse.tables.ledger import Load

CODE = "would_delete"


def place_in_time(loads: Mapping[str, Load], file_id: str, replay: Replay | None, now: datetime) -> datetime:
    """Return when a file's rows count as loaded: a replayed one stands where it came, and not behind newer ones."""
    if replay is None:
        return now
    if file_id in loads:
        return loads[file_id].since
    return datetime.fromisoformat(replay.since) if replay.since else now


def must_ask(source: Source, replay: Replay | None) -> bool:
    """Return whether a file is asked what it would delete: not of single rows, and not once a person has said yes."""
    return source.full_export is not None and (
        replay is None or (replay.rows is None and not replay.would_delete)
    )


def too_much_missing(  # noqa: PLR0913 - what is compared with what
    con: duckdb.DuckDBPyConnection,
    table: Table,
    source: Source,
    loads: Mapping[str, Load],
    moment: datetime,
    written: Sequence[DataFile],
    *,
    unread: int = 0,
) -> BadFile | None:
    """Return why a file whose rows are `written` is set aside; None where it may be loaded.

    It is compared with the records that stand at `moment`: those of the last whole file before it, and of the files
    behind that one. Each of its `unread` rows may hold a record that seems to be missing.
    """
    rule = source.full_export
    standing = _standing(loads, moment)
    if rule is None or not standing:
        return None
    paths = data_files.paths_since(table, "_loaded_at", min(loads[file_id].since for file_id in standing))
    if not paths:
        return None
    key, listed = ", ".join(map(identifier, source.key)), ", ".join(map(literal, sorted(standing)))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE standing AS SELECT DISTINCT {key} "
        f"FROM ({data_files.read_sql(table, paths)}) WHERE _file_id IN ({listed})"
    )
    before = missing = _count(con, "SELECT count(*) FROM standing")
    if written:
        now = data_files.read_sql(table, [file.file_path for file in written])
        same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM n.{name}" for name in map(identifier, source.key))
        missing = _count(con, f"SELECT count(*) FROM standing AS s ANTI JOIN ({now}) AS n ON {same}")
    gone = max(0, missing - unread)
    if not before or gone / before <= rule.held_above:
        return None
    return BadFile(
        CODE,
        f"the file lacks {gone} of the {before} records of the one before; more than {rule.held_above:.0%} are not "
        f"deleted unasked. Where they are gone indeed, replay it: `lakehouse quarantine replay --code {CODE}`",
    )


def _standing(loads: Mapping[str, Load], moment: datetime) -> set[str]:
    """Return the files that say which records stand at a moment: the last whole one, and those behind it."""
    found: set[str] = set()
    earlier = sorted((load.since, file_id) for file_id, load in loads.items() if load.since < moment)
    for _, file_id in reversed(earlier):
        if loads[file_id].loaded:
            found.add(file_id)
        if loads[file_id].complete:
            break
    return found


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0
