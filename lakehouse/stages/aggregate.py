"""The aggregate stage: models whose inputs moved, then the consent projection that `publish` asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse import signals
from lakehouse.engine import duck
from lakehouse.models import run as models
from lakehouse.privacy import consent
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, views
from lakehouse.tables.contracts import CONSENTS, CUSTOMER_360

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def aggregate(settings: Settings) -> list[str]:
    """Run what is stale and renew the projection; return the tables that were computed."""
    done = models.run(settings)
    project_consents(settings)
    if CUSTOMER_360.name not in done:
        # Announced even when nothing moved: segments may have missed the last hint, and look for themselves.
        table = catalogs.load(catalogs.open_catalog(settings), CUSTOMER_360.name)
        signals.table_committed(CUSTOMER_360.name, commit.head(table))
    return done


def project_consents(settings: Settings) -> bool:
    """Copy the grants of `core.consents` to where `publish` looks; return whether anything was written."""
    table = catalogs.load(catalogs.open_catalog(settings), CONSENTS.name)
    head = commit.head(table)
    if not head:
        return False
    return consent.project(_grants(settings), head, datetime.now(UTC))


def _grants(settings: Settings) -> Iterator[tuple[str, str, str, str]]:
    con = duck.connect(settings)
    try:
        views.open_tables(con, settings, [CONSENTS.name])
        rows = con.execute(
            f"SELECT customer_id, purpose, channel, consent_id FROM {CONSENTS.name} WHERE granted"
        )
        while batch := rows.fetchmany(5_000):
            yield from batch
    finally:
        con.close()
