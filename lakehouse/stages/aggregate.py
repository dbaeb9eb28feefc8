"""The aggregate stage: models whose inputs changed, then scores. Consents have a lane of their own, in `resolve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse import signals
from lakehouse.errors import BadDefinition
from lakehouse.models import lineage, registry
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
    scored = score.run(settings)
    read_scores = _run_readers(settings, [committed.table for committed in scored])
    for committed in (*scored, *read_scores.committed):
        signals.table_committed(settings, committed.table, committed.snapshot_id)
        computed.append(committed.table)
    if wrong := dict.fromkeys((*outcome.wrong, *read_scores.wrong)):
        raise BadDefinition("; ".join(wrong))
    return computed


def _run_readers(settings: Settings, scores: list[str]) -> models.ModelRun:
    """Run the models that read scores which have just changed: no score is computed from one of these."""
    if not scores:
        return models.ModelRun()
    known = registry.load(settings.definitions)
    readers = {table for name in scores for table in lineage.downstream(known, name)}
    return models.run(settings, only=readers) if readers else models.ModelRun()


def pending(settings: Settings) -> list[str]:
    """Return the tables that would be computed now."""
    return [*models.pending(settings, besides=LANE), *score.pending(settings)]
