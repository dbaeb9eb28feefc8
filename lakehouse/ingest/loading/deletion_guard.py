"""The guard of full exports: a file that would delete too much is set aside, until a person says that it is so.

An export that broke off, or that somebody filtered, would otherwise delete every record that it does not list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class NewExport:
    """A full export whose rows are in data files and in no commit yet.

    `loads` is what the table has of each raw file before it, by file id. Each of the `unread_rows`, which are bad, may
    hold a record that seems to be missing.
    """

    loads: Mapping[str, Load]
    loaded_at: datetime
    files: Sequence[DataFile]
    unread_rows: int


def is_guarded(source: Source, replay: Replay | None) -> bool:
    """Return whether a file is compared: a full export, not single rows of one, and no person said that it may."""
    if source.full_export is None:
        return False
    return replay is None or (replay.rows is None and not replay.would_delete)


def find_excess_deletion(
    con: duckdb.DuckDBPyConnection, table: Table, source: Source, export: NewExport
) -> BadFile | None:
    """Return why a full export is set aside; None where it may be loaded.

    It is compared with the records that there are at its time: those of the last complete file before it, and of the
    incomplete files after that one.
    """
    rule = source.full_export
    file_ids = files_in_force(export.loads, export.loaded_at)
    if rule is None or not file_ids:
        return None
    earliest = min(export.loads[file_id].since for file_id in file_ids)
    paths = data_files.paths_since(table, "_loaded_at", earliest)
    if not paths:
        return None
    con.execute(known_records_sql(source.key, data_files.read_sql(table, paths), file_ids))
    known = missing = _count(con, "SELECT count(*) FROM known_records")
    if export.files:
        listed = data_files.read_sql(table, [file.file_path for file in export.files])
        missing = _count(con, missing_records_sql(source.key, listed))
    return judge_deletion(known, max(0, missing - export.unread_rows), rule.held_above)


def known_records_sql(key: Sequence[str], rows: str, file_ids: Collection[str]) -> str:
    """Return the SQL that makes the table `known_records`: the keys that are in these files, among the rows."""
    listed = ", ".join(map(literal, sorted(file_ids)))
    return (
        f"CREATE OR REPLACE TEMP TABLE known_records AS SELECT DISTINCT {', '.join(map(identifier, key))} "
        f"FROM ({rows}) WHERE _file_id IN ({listed})"
    )


def missing_records_sql(key: Sequence[str], listed: str) -> str:
    """Return the SELECT of how many known records are not among those that an export lists."""
    same = " AND ".join(f"k.{name} IS NOT DISTINCT FROM l.{name}" for name in map(identifier, key))
    return f"SELECT count(*) FROM known_records AS k ANTI JOIN ({listed}) AS l ON {same}"


def files_in_force(loads: Mapping[str, Load], moment: datetime) -> set[str]:
    """Return the files that say which records there are at a moment: the last complete one, and those after it."""
    in_force: set[str] = set()
    earlier = sorted((load.since, file_id) for file_id, load in loads.items() if load.since < moment)
    for _, file_id in reversed(earlier):
        load = loads[file_id]
        if load.loaded:
            in_force.add(file_id)
        if load.complete:
            break
    return in_force


def judge_deletion(known: int, deleted: int, held_above: float) -> BadFile | None:
    """Return why a file is set aside that would delete so many of the known records; None where it may."""
    if not known or deleted / known <= held_above:
        return None
    return BadFile(
        CODE,
        f"the file lacks {deleted} of the {known} records of the one before; more than {held_above:.0%} are not "
        f"deleted unasked. Where they are gone indeed, replay it: `lakehouse quarantine replay --code {CODE}`",
    )


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0
