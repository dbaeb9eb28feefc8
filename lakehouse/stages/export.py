"""The export stage: segments now, and what each sync has to tell its CRM because of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.outbound.acknowledged import load as standing
from lakehouse.outbound.definition import load_syncs
from lakehouse.outbound.plan import plan_run
from lakehouse.segments import refresh as segments
from lakehouse.segments.audience import audience
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from lakehouse.tables.contracts import CUSTOMERS

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def export(settings: Settings) -> segments.Refresh:
    """Refresh the segments and plan a run of every sync that has news; open chunks are announced again."""
    found = segments.refresh(settings)
    customers = catalogs.load(catalogs.open_catalog(settings), CUSTOMERS.name)
    if not all(found.inputs[name] for name in segments.INPUTS):
        return found  # nothing was computed yet: an empty audience would remove everybody
    inputs = {**found.inputs, CUSTOMERS.name: commit.head(customers)}
    for sync in load_syncs(settings.definitions).values():
        desired = sync.desired(audience(settings, sync.segments))
        plan_run(sync, desired, datetime.now(UTC), inputs)
    return found


def open_chunks(settings: Settings) -> int:
    """Return how many chunks of all syncs wait for an outcome."""
    return sum(len(standing(name, renew=False).open_chunks) for name in load_syncs(settings.definitions))
