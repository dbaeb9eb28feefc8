"""The aggregate stage: models whose inputs changed, then the consent projection that `publish` asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse import signals
from lakehouse.engine import duck
from lakehouse.errors import BadDefinition
from lakehouse.models import runner as models
from lakehouse.privacy import consent
from lakehouse.stages.policy import GrantsPolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, views
from lakehouse.tables.contracts import CONSENTS, CUSTOMER_360

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table


def aggregate(settings: Settings) -> list[str]:
    """Run what is stale and renew the projection; return the tables that were computed.

    The projection comes before the announcement: what is planned without it is withheld. BadDefinition at the end
    names the models that are wrong; the others were run.
    """
    outcome = models.run(settings)
    project_consents(settings)
    computed = [committed.table for committed in outcome.committed]
    for committed in outcome.committed:
        signals.table_committed(settings, committed.table, committed.snapshot_id)
    if CUSTOMER_360.name not in computed:
        # Announced even when nothing changed: segments may have missed the last hint, and look for themselves.
        table = catalogs.load(catalogs.open_catalog(settings), CUSTOMER_360.name)
        signals.table_committed(settings, CUSTOMER_360.name, commit.head(table))
    if outcome.wrong:
        raise BadDefinition("; ".join(outcome.wrong))
    return computed


def project_consents(settings: Settings) -> bool:
    """Copy the grants of `core.consents` to where `publish` looks; return whether anything was written."""
    table = catalogs.load(catalogs.open_catalog(settings), CONSENTS.name)
    snapshot = table.current_snapshot() if table is not None else None
    if table is None or snapshot is None:
        return False
    committed_at = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)
    grants, version = _grants(settings, table), commit.head(table)
    return consent.project(settings, grants, version, datetime.now(UTC), as_of=committed_at)


def _grants(settings: Settings, table: Table) -> Iterator[tuple[str, str, str, str]]:
    """Yield the grants of the very snapshot that is projected, whatever is committed meanwhile."""
    con = duck.connect(settings)
    try:
        rows = con.execute(
            f"SELECT customer_id, purpose, channel, consent_id FROM ({views.scan_sql(table)}) WHERE granted"
        )
        while batch := rows.fetchmany(GrantsPolicy.fetch_rows):
            yield from batch
    finally:
        con.close()
