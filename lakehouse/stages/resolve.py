"""The resolve stage: identifiers of all sources → `core.identities`."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse import aws, signals, telemetry
from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.sources import definition, mapping_views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, data_files, views
from lakehouse.tables.contracts import IDENTITIES

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table


MAPPING = "mapped.identifiers"


def pending(settings: Settings) -> bool:
    """Return whether a table that carries identifiers has moved since identities were last resolved."""
    catalog = catalogs.open_catalog(settings)
    table = catalogs.load(catalog, IDENTITIES.name)
    wanted = _wanted(catalog, settings)
    return bool(wanted) and (table is None or commit.inputs(table) != wanted)


def resolve(settings: Settings) -> bool:
    """Bring `core.identities` up to date; return whether there was anything to do.

    Merges and splits are written as an audit object before the commit, named by the identities they start from: a
    repeat overwrites it. Raises CommitConflict when another run was first.
    """
    catalog = catalogs.open_catalog(settings)
    table = catalogs.ensure(catalog, IDENTITIES)
    wanted = _wanted(catalog, settings)
    moved = bool(wanted) and commit.inputs(table) != wanted
    if moved:
        con = duck.connect(settings)
        try:
            customers = _resolve(con, settings, catalog, wanted)
            audit = _changes(con)
            written = data_files.write(con, table, "SELECT * FROM identities_new", f"resolve-{uuid.uuid4()}")
        finally:
            con.close()
        key = f"audit/identities-{commit.head(table) or 0}.json"
        _audit(settings, key, audit)
        _replace(table, written, wanted)
        # once more: a run that began from the same identities, and lost, may have overwritten it
        _audit(settings, key, audit)
        telemetry.info("identities resolved", table=IDENTITIES.name, rows=written.rows, count=customers)
    # Announced even when nothing moved: what follows may have missed the last hint, and looks for itself.
    signals.table_committed(IDENTITIES.name, commit.head(catalogs.load(catalog, IDENTITIES.name)))
    return moved


def _replace(table: Table, written: data_files.Written, wanted: dict[str, str]) -> None:
    base = table.current_snapshot()
    try:
        commit.replace_all(
            table, written.files, computed_from=wanted, base=base.snapshot_id if base else None
        )
    except CommitConflict:
        data_files.discard(table, written)
        raise


def _wanted(catalog: Catalog, settings: Settings) -> dict[str, str]:
    """Return the heads of the tables that carry identifiers, and the mapping's version; empty while there are none."""
    sources = definition.load(settings.definitions).values()
    there = set(catalogs.table_names(catalog))  # most of the sources that are defined have sent nothing
    names = sorted(mapping_views.tables_of("identifiers", sources))
    heads = {name: commit.head(catalogs.load(catalog, name)) if name in there else "" for name in names}
    return heads | {MAPPING: mapping_views.version("identifiers", sources)} if any(heads.values()) else {}


def _resolve(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, wanted: dict[str, str]
) -> int:
    from lakehouse.identity.resolve import resolve as resolve_identities  # noqa: PLC0415 - numpy and scipy are heavy

    sources = [source for source in definition.load(settings.definitions).values() if source.identifiers]
    heads = {name: head for name, head in wanted.items() if name != MAPPING}
    for source in sources:
        if heads[source.table]:  # it may lack a column that the mapping names since
            catalogs.ensure(catalog, source.contract)
    seen = views.attach(con, catalog, [*heads, IDENTITIES.name])
    sources = [source for source in sources if source.table in seen]  # the others have sent nothing
    if any(commit.head(seen.get(name)) != head for name, head in heads.items()):
        raise CommitConflict("raw tables moved while identities were about to be resolved; look again")
    con.execute(f"CREATE TEMP TABLE observations AS {mapping_views.identifiers_sql(sources)}")
    previous = IDENTITIES.name if commit.head(seen[IDENTITIES.name]) else None
    found = resolve_identities(con, observations="observations", previous=previous, now=datetime.now(UTC))
    return found.customers


def _changes(con: duckdb.DuckDBPyConnection) -> str:
    """Return the merges and splits as lines of JSON."""
    rows = con.execute(
        "SELECT change, customer_id, into_customer_id, \"at\" FROM identity_changes WHERE change <> 'new' ORDER BY ALL"
    ).fetchall()
    return "\n".join(
        json.dumps(
            {"action": change, "subject": subject, "at": at.isoformat(), "detail": {"customer_id": into}}
        )
        for change, subject, into, at in rows
    )


def _audit(settings: Settings, key: str, changes: str) -> None:
    if changes:
        aws.s3().put_object(Bucket=settings.ops_bucket, Key=key, Body=changes.encode())
