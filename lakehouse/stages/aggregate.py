"""The aggregate stage: models whose inputs changed, then scores. Consents have a lane of their own, in `resolve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse import signals
from lakehouse.errors import BadDefinition
from lakehouse.models import runner as models
from lakehouse.stages import score
from lakehouse.stages.consents import LANE
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from lakehouse.tables.contracts import CUSTOMER_360

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def aggregate(settings: Settings) -> list[str]:
    """Run what is stale; return the tables that were computed.

    Scores come after the announcements: segments do not wait for them, and what is wrong with a score is no reason
    that nobody hears of the models. BadDefinition at the end names the models that are wrong; the others were run.
    """
    outcome = models.run(settings, besides=LANE)
    computed = [committed.table for committed in outcome.committed]
    for committed in outcome.committed:
        signals.table_committed(settings, committed.table, committed.snapshot_id)
    if CUSTOMER_360 not in computed:
        # Announced even when nothing changed: segments may have missed the last hint, and look for themselves.
        table = catalogs.load(catalogs.open_catalog(settings), CUSTOMER_360)
        signals.table_committed(settings, CUSTOMER_360, commit.head(table))
    for committed in score.run(settings):
        signals.table_committed(settings, committed.table, committed.snapshot_id)
        computed.append(committed.table)
    if outcome.wrong:
        raise BadDefinition("; ".join(outcome.wrong))
    return computed


def pending(settings: Settings) -> list[str]:
    """Return the tables that would be computed now."""
    return [*models.pending(settings, besides=LANE), *score.pending(settings)]
