"""Looks who is in each segment now, and notes who entered and who left since the last look."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from lakehouse.engine import duck
from lakehouse.engine.escape import literal
from lakehouse.errors import BadDefinition
from lakehouse.segments import definition
from lakehouse.segments.definition import Segment
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, datafiles, views
from lakehouse.tables.contracts import SEGMENT_CHANGES, SEGMENT_MEMBERS

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog

INPUTS = ("marts.customer_360", "marts.rfm")


@dataclass(frozen=True)
class Refresh:
    """What a look found. `run` is the same for the same inputs and definitions."""

    run: str
    inputs: dict[str, str]
    changed: bool
    sizes: dict[str, int]


def pending(settings: Settings) -> bool:
    """Return whether the inputs or definitions have moved since the last look."""
    catalog = catalogs.open_catalog(settings)
    table = catalogs.load(catalog, SEGMENT_MEMBERS.name)
    return table is None or commit.inputs(table) != _wanted(catalog, settings)


def refresh(settings: Settings) -> Refresh:
    """Bring `ops.segment_members` up to date; do nothing where neither inputs nor definitions moved.

    Changes are appended before the members are replaced, under the run's id: a crash between the two repeats the
    look, and the second append of the same run is refused. Raises CommitConflict when another look was first.
    """
    catalog = catalogs.open_catalog(settings)
    members = catalogs.ensure(catalog, SEGMENT_MEMBERS)
    wanted = _wanted(catalog, settings)
    run = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]
    changed = commit.inputs(members) != wanted
    con = duck.connect(settings)
    try:
        tables = views.attach(con, catalog, [*INPUTS, SEGMENT_MEMBERS.name])
        changed = changed and all(name in tables for name in INPUTS)
        if changed:
            _look(con, settings, run)
            _note_changes(con, catalog, run)
            base = members.current_snapshot()
            written = datafiles.write(con, members, "SELECT * FROM members_now", f"segments-{uuid.uuid4()}")
            commit.replace_all(
                members, written.files, computed_from=wanted, base=base.snapshot_id if base else None
            )
            _export(con, settings, run)
        source = "members_now" if changed else SEGMENT_MEMBERS.name
        counted = dict(con.execute(f"SELECT segment, count(*) FROM {source} GROUP BY 1").fetchall())
    finally:
        con.close()
    names = [segment.name for segment in definition.load(settings.definitions)]
    return Refresh(run, wanted, changed, {name: counted.get(name, 0) for name in names})


def members_sql(segment: Segment) -> str:
    """Return the SELECT of a segment's customer ids."""
    return (
        "SELECT customer_id, as_of FROM (SELECT c.*, r.* EXCLUDE (customer_id, as_of, recency_days) "
        "FROM marts.customer_360 AS c LEFT JOIN marts.rfm AS r USING (customer_id)) "
        f"WHERE {segment.where}"
    )


def _wanted(catalog: Catalog, settings: Settings) -> dict[str, str]:
    wanted = {name: commit.head(catalogs.load(catalog, name)) for name in INPUTS}
    return wanted | {"version": definition.version(definition.load(settings.definitions))}


def _look(con: duckdb.DuckDBPyConnection, settings: Settings, run: str) -> None:
    con.execute("CREATE TEMP TABLE found (segment VARCHAR, customer_id VARCHAR, as_of DATE)")
    for segment in definition.load(settings.definitions):
        try:
            con.execute(f"INSERT INTO found SELECT {literal(segment.name)}, * FROM ({members_sql(segment)})")
        except (duckdb.BinderException, duckdb.ParserException) as error:
            raise BadDefinition(f"segment {segment.name}: where: {str(error).splitlines()[0]}") from error
    con.execute(
        f"""CREATE TEMP TABLE members_now AS
        SELECT f.segment, f.customer_id, f.as_of, coalesce(m.entered_on, f.as_of) AS entered_on
        FROM found AS f LEFT JOIN {SEGMENT_MEMBERS.name} AS m USING (segment, customer_id)"""
    )
    con.execute(
        f"""CREATE TEMP TABLE changes_now AS
        SELECT {literal(run)} AS run, segment, customer_id,
            CASE WHEN m.customer_id IS NULL THEN 'entered' ELSE 'left' END AS change,
            (SELECT max(as_of) FROM marts.customer_360) AS as_of, now() AS found_at
        FROM found AS f FULL JOIN {SEGMENT_MEMBERS.name} AS m USING (segment, customer_id)
        WHERE f.customer_id IS NULL OR m.customer_id IS NULL"""
    )


def _note_changes(con: duckdb.DuckDBPyConnection, catalog: Catalog, run: str) -> None:
    table = catalogs.ensure(catalog, SEGMENT_CHANGES)
    written = datafiles.write(con, table, "SELECT * FROM changes_now", f"segments-{uuid.uuid4()}")
    if not written.files:
        return
    try:
        commit.append(table, written.files, carries=[run])
    except commit.AlreadyCommittedError:
        for file in written.files:
            table.io.delete(file.file_path)


def _export(con: duckdb.DuckDBPyConnection, settings: Settings, run: str) -> None:
    """Write one CSV a segment for people and tools that read files; it names customers by id only."""
    for segment in definition.load(settings.definitions):
        target = f"s3://{settings.ops_bucket}/exports/{segment.name}/{settings.as_of_day()}/{run}.csv"
        con.execute(
            f"COPY (SELECT customer_id, as_of, entered_on FROM members_now WHERE segment = {literal(segment.name)} "
            f"ORDER BY customer_id) TO {literal(target)} (FORMAT csv, HEADER)"
        )
