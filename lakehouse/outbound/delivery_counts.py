"""How deliveries stand: the counts of each sync's latest run, from the objects of its log alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lakehouse.outbound import log
from lakehouse.outbound.records import ERASED, PROJECTION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.outbound.records import Outcome, Run
    from lakehouse.settings import Settings


def status(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the deliveries of every sync that has a log, by its name."""
    counts = {sync: sync_status(settings, sync) for sync in log.syncs(settings)}
    return {sync: counted for sync, counted in counts.items() if counted is not None}


def sync_status(settings: Settings, sync: str) -> dict[str, Any] | None:
    """Return the counts of a sync's latest run as `count_rows` does, None before the first."""
    latest = log.latest_run(settings, sync)
    if latest is None:
        return None
    return count_rows(latest, (outcome for _, outcome in log.outcomes(settings, latest)))


def count_rows(run: Run, outcomes: Iterable[Outcome | None]) -> dict[str, Any]:
    """Return what became of those whom a run selected; an outcome is None while its chunk is open.

    `balanced`: whoever was selected was sent, unchanged, failed, unknown, is in flight or was withheld.
    `removed` and `to_remove` (leavers not removed yet) stand beside the balance: they are not selected.
    """
    upserts: Counter[str] = Counter()
    removed = for_projection = for_erasure = 0
    for outcome in filter(None, outcomes):
        upserts.update(result.status for result in outcome.rows if result.action == "upsert")
        removed += sum(result.status == "removed" for result in outcome.rows)
        withheld_codes = [result.code for result in outcome.rows if result.status == "withheld"]
        for_projection += withheld_codes.count(PROJECTION)
        for_erasure += withheld_codes.count(ERASED)
    withheld = {
        "consent": run.no_consent + run.withheld_waiting + upserts["withheld"] - for_projection - for_erasure,
        "erased": run.erased + for_erasure,
        "projection": run.projection_waiting + for_projection,
        "cap": 0,
        "quiet_hours": 0,
        "control": 0,
        "suppressed": run.same_address,
        "no_address": run.no_address,
    }
    counts = {
        "sent": upserts["sent"],
        "unchanged": run.unchanged,
        "failed": run.failed_waiting + upserts["failed"],
        "unknown": run.unknown + upserts["unknown"],
        "in_flight": run.to_send - upserts.total(),
    }
    return {
        "selected": run.selected,
        "sent": counts["sent"],
        "removed": removed,
        **counts,
        "withheld": withheld,
        "balanced": run.selected == sum(counts.values()) + sum(withheld.values()),
        "to_remove": run.to_remove - removed,
        "run": run.run,
        "at": run.created_at,
    }
