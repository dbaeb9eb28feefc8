"""The resolve stage: identifiers of all sources → `core.identities`."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse import aws, signals, telemetry
from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.sources import definition, mapped
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, datafiles, views
from lakehouse.tables.contracts import IDENTITIES

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog


def pending(settings: Settings) -> bool:
    """Return whether a table that carries identifiers has moved since identities were last resolved."""
    catalog = catalogs.open_catalog(settings)
    table = catalogs.load(catalog, IDENTITIES.name)
    wanted = _wanted(catalog, settings)
    return any(wanted.values()) and (table is None or commit.inputs(table) != wanted)


def resolve(settings: Settings) -> bool:
    """Bring `core.identities` up to date; return whether there was anything to do.

    Merges and splits are written as audit objects before the commit, under a key made from the inputs, so that a
    repeat overwrites rather than doubles them. Raises CommitConflict when another run was first.
    """
    catalog = catalogs.open_catalog(settings)
    table = catalogs.ensure(catalog, IDENTITIES)
    wanted = _wanted(catalog, settings)
    moved = any(wanted.values()) and commit.inputs(table) != wanted
    if moved:
        base = table.current_snapshot()
        con = duck.connect(settings)
        try:
            counts = _resolve(con, settings, catalog, wanted)
            _audit(con, settings, wanted)
            written = datafiles.write(con, table, "SELECT * FROM identities_new", f"resolve-{uuid.uuid4()}")
        finally:
            con.close()
        commit.replace_all(
            table, written.files, computed_from=wanted, base=base.snapshot_id if base else None
        )
        telemetry.info("identities resolved", table=IDENTITIES.name, rows=written.rows, count=counts)
    # Announced even when nothing moved: what follows may have missed the last hint, and looks for itself.
    signals.table_committed(IDENTITIES.name, commit.head(catalogs.load(catalog, IDENTITIES.name)))
    return moved


def _wanted(catalog: Catalog, settings: Settings) -> dict[str, str]:
    names = mapped.tables_of("identifiers", definition.load(settings.definitions).values())
    return {name: commit.head(catalogs.load(catalog, name)) for name in sorted(names)}


def _resolve(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, wanted: dict[str, str]
) -> int:
    from lakehouse.identity.resolve import resolve as resolve_identities  # noqa: PLC0415 - numpy and scipy are heavy

    sources = list(definition.load(settings.definitions).values())
    for source in sources:
        catalogs.ensure(catalog, source.contract)
    seen = views.attach(con, catalog, [*wanted, IDENTITIES.name])
    if any(commit.head(seen.get(name)) != head for name, head in wanted.items()):
        raise CommitConflict("raw tables moved while identities were about to be resolved; look again")
    con.execute(f"CREATE TEMP TABLE observations AS {mapped.identifiers_sql(sources)}")
    previous = IDENTITIES.name if commit.head(seen[IDENTITIES.name]) else None
    found = resolve_identities(con, observations="observations", previous=previous, now=datetime.now(UTC))
    return found.customers


def _audit(con: duckdb.DuckDBPyConnection, settings: Settings, wanted: dict[str, str]) -> None:
    rows = con.execute(
        "SELECT change, customer_id, into_customer_id, \"at\" FROM identity_changes WHERE change <> 'new' ORDER BY ALL"
    ).fetchall()
    if not rows:
        return
    lines = [
        json.dumps(
            {"action": change, "subject": subject, "at": at.isoformat(), "detail": {"customer_id": into}}
        )
        for change, subject, into, at in rows
    ]
    run = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]
    aws.s3().put_object(
        Bucket=settings.ops_bucket, Key=f"audit/identities-{run}.json", Body="\n".join(lines).encode()
    )
