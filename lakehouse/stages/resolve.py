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
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import Catalog, Table


MAPPING = "mapped.identifiers"  # the name of the mapping's version among the inputs


def pending(settings: Settings) -> bool:
    """Return whether a table that carries identifiers has changed since identities were last resolved."""
    catalog = catalogs.open_catalog(settings)
    table = catalogs.load(catalog, IDENTITIES.name)
    expected = _expected_inputs(catalog, _sources(settings))
    return bool(expected) and (table is None or commit.inputs(table) != expected)


def resolve(settings: Settings) -> bool:
    """Bring `core.identities` up to date; return whether there was anything to do.

    Merges and splits are written as an audit object before the commit, named by the identities they start from: a
    repeat overwrites it. Raises CommitConflict when another run was first.
    """
    catalog = catalogs.open_catalog(settings)
    table = catalogs.ensure(catalog, IDENTITIES)
    sources = _sources(settings)  # once: a definition may change while this runs
    expected = _expected_inputs(catalog, sources)
    stale = bool(expected) and commit.inputs(table) != expected
    if stale:
        _refresh(settings, catalog, table, sources, expected)
    # Announced even when nothing changed: what follows may have missed the last hint, and looks for itself.
    head = commit.head(catalogs.load(catalog, IDENTITIES.name))
    signals.table_committed(settings, IDENTITIES.name, head)
    return stale


def _sources(settings: Settings) -> list[Source]:
    """Return the sources whose records carry identifiers."""
    return [source for source in definition.load(settings.definitions).values() if source.identifiers]


def _refresh(
    settings: Settings, catalog: Catalog, table: Table, sources: list[Source], expected: dict[str, str]
) -> None:
    con = duck.connect(settings)
    try:
        customers = _resolve(con, catalog, sources, expected)
        audit_lines = _audit_lines(con)
        written = data_files.write(con, table, "SELECT * FROM identities_new", f"resolve-{uuid.uuid4()}")
    finally:
        con.close()
    audit_key = f"audit/identities-{commit.head(table) or 0}.json"
    _write_audit(settings, audit_key, audit_lines)
    _replace(table, written, expected)
    # once more: a run that began from the same identities, and lost, may have overwritten it
    _write_audit(settings, audit_key, audit_lines)
    telemetry.info("identities resolved", table=IDENTITIES.name, rows=written.rows, count=customers)


def _replace(table: Table, written: data_files.Written, computed_from: dict[str, str]) -> None:
    base = table.current_snapshot()
    try:
        commit.replace_all(
            table, written.files, computed_from=computed_from, base=base.snapshot_id if base else None
        )
    except CommitConflict:
        data_files.discard(table, written)
        raise


def _expected_inputs(catalog: Catalog, sources: list[Source]) -> dict[str, str]:
    """Return the heads of the tables that carry identifiers, and the mapping's version; empty while there are none."""
    existing = set(catalogs.table_names(catalog))  # most of the sources that are defined have sent nothing
    heads = dict.fromkeys(sorted(mapping_views.tables_of("identifiers", sources)), "")
    for name in existing.intersection(heads):
        heads[name] = commit.head(catalogs.load(catalog, name))
    if not any(heads.values()):
        return {}
    return {**heads, MAPPING: mapping_views.version("identifiers", sources)}


def _resolve(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, sources: list[Source], expected: dict[str, str]
) -> int:
    """Make the tables `identities_new` and `identity_changes`; return the number of customers."""
    from lakehouse.identity.resolve import resolve as resolve_identities  # noqa: PLC0415 - numpy and scipy are heavy

    heads = {name: head for name, head in expected.items() if name != MAPPING}
    for source in sources:
        if heads[source.table]:  # it may lack a column that the mapping names since
            catalogs.ensure(catalog, source.contract)
    tables = views.attach(con, catalog, [*heads, IDENTITIES.name])
    if any(commit.head(tables.get(name)) != head for name, head in heads.items()):
        raise CommitConflict("raw tables moved while identities were about to be resolved; look again")
    sending = [source for source in sources if source.table in tables]
    con.execute(f"CREATE TEMP TABLE observations AS {mapping_views.identifiers_sql(sending)}")
    previous = IDENTITIES.name if commit.head(tables[IDENTITIES.name]) else None
    now = datetime.now(UTC)
    resolution = resolve_identities(con, observations="observations", previous=previous, now=now)
    return resolution.customers


def _audit_lines(con: duckdb.DuckDBPyConnection) -> str:
    """Return the merges and splits as lines of JSON."""
    rows = con.execute(
        "SELECT change, customer_id, into_customer_id, \"at\" FROM identity_changes WHERE change <> 'new' ORDER BY ALL"
    ).fetchall()
    entries = (
        {"action": change, "subject": subject, "at": at.isoformat(), "detail": {"customer_id": into}}
        for change, subject, into, at in rows
    )
    return "\n".join(map(json.dumps, entries))


def _write_audit(settings: Settings, key: str, lines: str) -> None:
    if lines:
        aws.s3().put_object(Bucket=settings.ops_bucket, Key=key, Body=lines.encode())
